# nix-gitignore: sources without what .gitignore leaves out. Later patterns win; `!` takes back, a pattern with a
# slash in it begins at the top, one with a slash at its end is of directories alone.
{ lib }:

let
  inherit (lib) hasPrefix hasSuffix removePrefix removeSuffix;

  # A glob as a regular expression; what is special in one and not in the other is escaped.
  regexOf = glob:
    let
      # Each piece is text, or the list that a separator of builtins.split is.
      pieces = builtins.split "(/[*][*]/|[*][*]/|/[*][*]|[*]|[?]|[[][^]]*]|\\\\.)" glob;
      piece = one:
        if builtins.isString one then lib.escapeRegex one
        else
          let found = builtins.head one; in
          if found == "/**/" then "/(.*/)?"
          else if found == "**/" then "(.*/)?"
          else if found == "/**" then "/.*"
          else if found == "*" then "[^/]*"
          else if found == "?" then "[^/]"
          else if hasPrefix "\\" found then lib.escapeRegex (removePrefix "\\" found)
          else builtins.replaceStrings [ "[!" ] [ "[^" ] found;
    in
    lib.concatMapStrings piece pieces;

  rule = line:
    let
      taken = hasPrefix "!" line;
      text = removePrefix "!" line;
      body = removeSuffix "/" text;
      atTop = lib.hasInfix "/" body;
    in
    {
      include = taken;
      onlyDirectories = hasSuffix "/" text;
      regex = (if atTop then "" else "(.*/)?") + regexOf (removePrefix "/" body);
    };

  linesOf = text: builtins.filter (line: line != "" && !(hasPrefix "#" line))
    (map (line: lib.trimWith { end = true; } (removeSuffix "\r" line)) (lib.splitString "\n" text));

  # Patterns may be text, a list of such, or files.
  textOf = patterns:
    if builtins.isList patterns then lib.concatMapStringsSep "\n" textOf patterns
    else if builtins.isPath patterns || builtins.isString patterns && hasPrefix "/" patterns && builtins.pathExists patterns then
      builtins.readFile patterns
    else patterns;

  gitignoreFilterPure = predicate: patterns: root:
    let
      rules = map rule (linesOf (textOf patterns));
      top = toString root + "/";
    in
    path: type:
      let
        place = removePrefix top (toString path);
        matching = builtins.filter
          (one: (!one.onlyDirectories || type == "directory") && builtins.match one.regex place != null)
          rules;
      in
      (matching == [ ] || (lib.last matching).include) && predicate path type;

  # The .gitignore of a folder and, where asked for, those of the folders in it.
  ignoredBy = root: lib.optional (builtins.pathExists (root + "/.gitignore")) (root + "/.gitignore");
  below = root: folder:
    let
      entries = builtins.readDir (root + "/${folder}");
      own = root + "/${folder}.gitignore";
      # What is said in a folder is said of what is in it.
      placed = line:
        let text = removePrefix "!" line; in
        lib.optionalString (hasPrefix "!" line) "!"
        + "/${folder}" + (if lib.hasInfix "/" (removeSuffix "/" text) then removePrefix "/" text else "**/${text}");
    in
    lib.optionals (entries ? ".gitignore") (map placed (linesOf (builtins.readFile own)))
    ++ lib.concatMap (name: below root "${folder}${name}/")
      (builtins.filter (name: entries.${name} == "directory" && name != ".git") (builtins.attrNames entries));

  always = [ ".git" ];
  filtered = predicate: patterns: root: lib.cleanSourceWith {
    src = root;
    filter = gitignoreFilterPure predicate patterns root;
  };
  keepAll = _: _: true;
in
rec {
  inherit gitignoreFilterPure;
  gitignoreFilter = patterns: root: gitignoreFilterPure keepAll patterns root;
  gitignoreFilterSourcePure = filtered;
  gitignoreFilterSource = predicate: patterns: root: filtered predicate (always ++ ignoredBy root ++ lib.toList patterns) root;
  gitignoreFilterRecursiveSource = predicate: patterns: root: filtered predicate (always ++ below root "" ++ lib.toList patterns) root;
  gitignoreSourcePure = filtered keepAll;
  gitignoreSource = gitignoreFilterSource keepAll;
  gitignoreRecursiveSource = gitignoreFilterRecursiveSource keepAll;
  withGitignoreFile = patterns: root: lib.toList patterns ++ always ++ ignoredBy root;
}
