# Sets of local files, to choose exactly what a build sees.
#
# A file set is { base, tree }: a folder, and of what is below it either all (`true`), nothing (`null`), or
# a set from names to the same again; a file is `true`.
{ lib }:

let
  inherit (builtins) attrNames isAttrs isPath isString mapAttrs pathExists readDir;
  inherit (lib.filesystem) pathType;

  parts = path: builtins.filter (x: isString x && x != "") (builtins.split "/" (toString path));
  rooted = names: builtins.foldl' (path: name: path + "/${name}") /. names;
  wrap = names: tree: lib.lists.foldr (name: below: { ${name} = below; }) tree names;

  # An argument as a file set. `of` is the function, `what` the argument: errors name both.
  coerce = of: what: value:
    let refused = said: throw "lib.fileset.${of}: ${what} ${said}";
    in
    if value._type or null == "fileset" then value
    else if value ? _isLibCleanSourceWith then
      refused "is a `lib.sources`-based value, but it should be a file set or a path instead.\n    `lib.fileset.fromSource` makes a file set of one whose files are local."
    else if !isPath value then
      if lib.strings.isStringLike value then
        refused "(\"${toString value}\") is a string-like value, but it should be a file set or a path instead.\n    A path is written without quotes: ./src; what a string names is not seen as local files."
      else refused "is of type ${builtins.typeOf value}, but it should be a file set or a path instead."
    else if !pathExists value then
      refused "(${toString value}) is a path that does not exist.\n    Where it may be missing, say `lib.fileset.maybeMissing`."
    else ofPath value;
  ofPath = path: if isFolder path then make path true else make (dirOf path) { ${baseNameOf path} = true; };
  make = base: tree: {
    _type = "fileset";
    inherit base tree;
    _noEval = throw "lib.fileset: Directly evaluating a file set is not supported.\n    `lib.fileset.toSource` makes a source of it, `lib.fileset.trace` shows what is in it.";
  };
  empty = make null null;

  # All of a folder, one name at a time.
  listed = path: mapAttrs (_: _: true) (readDir path);
  filtered = keep: path:
    mapAttrs
      (name: type:
        let file = path + "/${name}";
        in if !keep file type then null else if type == "directory" then filtered keep file else true)
      (readDir path);
  isFolder = path: pathType path == "directory";

  # A tree as it is seen from a folder above, or below, its own.
  seenFrom = names: own: tree: wrap (lib.lists.drop (builtins.length names) own) tree;
  descend = names: tree:
    if names == [ ] || !isAttrs tree then tree else descend (builtins.tail names) (tree.${builtins.head names} or null);

  union = left: right:
    if left.base == null then right
    else if right.base == null then left
    else
      let
        a = parts left.base;
        b = parts right.base;
        common = lib.lists.commonPrefix a b;
      in
      make (rooted common) (unionTrees (seenFrom common a left.tree) (seenFrom common b right.tree));

  # `right` as a tree below the base of `left`; nothing where they have no folder in common.
  within = left: right:
    let
      a = parts left.base;
      b = parts right.base;
    in
    if right.base == null then null
    else if lib.lists.hasPrefix b a then descend (lib.lists.drop (builtins.length b) a) right.tree
    else if lib.lists.hasPrefix a b then seenFrom a b right.tree
    else null;

  unionTrees = a: b:
    if a == true || b == true then true
    else if a == null then b
    else if b == null then a
    else a // mapAttrs (name: tree: unionTrees (a.${name} or null) tree) b;
  intersectTrees = a: b:
    if a == null || b == null then null
    else if a == true then b
    else if b == true then a
    else mapAttrs (name: tree: intersectTrees tree b.${name}) (builtins.intersectAttrs b a);
  subtractTrees = path: a: b:
    if a == null || b == true then null
    else if b == null then a
    else
      let names = if a == true then listed path else a;
      in mapAttrs (name: tree: subtractTrees (path + "/${name}") tree (b.${name} or null)) names;

  hasFiles = path: tree:
    if tree == null then false
    else if tree == true then
      !(isFolder path) || builtins.any (name: hasFiles (path + "/${name}") true) (attrNames (readDir path))
    else builtins.any (name: hasFiles (path + "/${name}") tree.${name}) (attrNames tree);
  filesOf = path: tree:
    if tree == null then [ ]
    else if tree == true && !(isFolder path) then [ path ]
    else
      let names = if tree == true then listed path else tree;
      in builtins.concatMap (name: filesOf (path + "/${name}") names.${name}) (attrNames names);

  # A tree as a person reads it: a line for each folder and file, and one for a folder of which all is in it.
  show = set:
    let
      below = indent: path: tree:
        builtins.concatMap
          (name:
            let
              file = path + "/${name}";
              sub = tree.${name};
              whole = sub == true || all file sub;
            in
            if !hasFiles file sub then [ ]
            else if !isFolder file then [ "${indent}- ${name} (${pathType file})" ]
            else if whole then [ "${indent}- ${name} (all files in directory)" ]
            else [ "${indent}- ${name}" ] ++ below (indent + "  ") file sub)
          (attrNames tree);
      all = path: tree:
        tree == true
        || (tree != null && isFolder path
        && builtins.all (name: all (path + "/${name}") (tree.${name} or null)) (attrNames (readDir path)));
    in
    if set.base == null || !hasFiles set.base set.tree then [ "(empty)" ]
    else if all set.base set.tree then [ "${toString set.base} (all files in directory)" ]
    else [ (toString set.base) ] ++ below "" set.base set.tree;

  wrongPath = of: what: value:
    let refused = said: throw "lib.fileset.${of}: ${what} ${said}";
    in
    if value._type or null == "fileset" then
      refused "is a file set, but it should be a path instead.\n    To filter the files of a file set, say `intersection set (fileFilter f ./.)`."
    else if lib.strings.isStringLike value && of != "fileFilter" then
      refused "(\"${toString value}\") is a string-like value, but it should be a path instead."
    else refused "is of type ${builtins.typeOf value}, but it should be a path instead.";

  self = {
    maybeMissing = path:
      if !isPath path then wrongPath "maybeMissing" "Argument" path
      else if pathExists path then ofPath path
      else empty;
    union = a: b: union (coerce "union" "First argument" a) (coerce "union" "Second argument" b);
    unions = sets:
      if !builtins.isList sets then
        throw "lib.fileset.unions: Argument is of type ${builtins.typeOf sets}, but it should be a list instead."
      else
        builtins.foldl' union empty (lib.lists.imap0 (i: coerce "unions" "Element ${toString i}") sets);
    intersection = a: b:
      let
        left = coerce "intersection" "First argument" a;
        right = coerce "intersection" "Second argument" b;
        deeper = right.base != null && builtins.length (parts right.base) > builtins.length (parts left.base);
      in
      if left.base == null || right.base == null then empty
      else if deeper then make right.base (intersectTrees (within right left) right.tree)
      else make left.base (intersectTrees left.tree (within left right));
    difference = a: b:
      let
        left = coerce "difference" "First argument (positive set)" a;
        right = coerce "difference" "Second argument (negative set)" b;
      in
      if left.base == null then empty else make left.base (subtractTrees left.base left.tree (within left right));
    fileFilter = keep: path:
      let
        judge = file: type:
          type == "directory" || keep {
            name = baseNameOf file;
            inherit type;
            hasExt = ext: lib.strings.hasSuffix ".${ext}" (baseNameOf file);
          };
      in
      if !lib.trivial.isFunction keep then
        throw "lib.fileset.fileFilter: First argument is of type ${builtins.typeOf keep}, but it should be a function instead."
      else if !isPath path then wrongPath "fileFilter" "Second argument" path
      else if !pathExists path then
        throw "lib.fileset.fileFilter: Second argument (${toString path}) is a path that does not exist."
      else if isFolder path then make path (filtered judge path)
      else make (dirOf path) { ${baseNameOf path} = if judge path (pathType path) then true else null; };

    # The files of a `lib.sources` source that is made of local files.
    fromSource = source:
      let
        origin = source.origSrc or source;
        keep = source.filter or (_: _: true);
      in
      if !(source ? _isLibCleanSourceWith) && !isPath source then
        wrongPath "fromSource" "Argument" source
      else if !isPath origin then
        throw "lib.fileset.fromSource: The source origin of the argument is of type ${builtins.typeOf origin}, but it should be a path instead."
      else if !pathExists origin then
        throw "lib.fileset.fromSource: The source origin (${toString origin}) of the argument is a path that does not exist."
      else if isFolder origin then make origin (filtered (path: type: keep (toString path) type) origin)
      else ofPath origin;

    # The files that git knows, of a working tree.
    gitTracked = self.gitTrackedWith { };
    gitTrackedWith = { recurseSubmodules ? false }: path:
      let
        of = if recurseSubmodules then "gitTrackedWith" else "gitTracked";
        argument = if recurseSubmodules then "second argument" else "argument";
        tracked = builtins.fetchGit ({ url = path; } // lib.attrsets.optionalAttrs recurseSubmodules { submodules = true; });
        mirrored = filtered (_: _: true);
      in
      if !isPath path then
        throw "lib.fileset.${of}: Expected the ${argument} to be a path, but it's a ${builtins.typeOf path} instead."
      else if !pathExists (path + "/.git") then
        if lib.path.hasStorePathPrefix path then
          throw "lib.fileset.${of}: The ${argument} (${toString path}) is a store path, which has no git repository any more.\n    A flake's own files are those that git knows already: leave `gitTracked` out there."
        else
          throw "lib.fileset.${of}: Expected the ${argument} (${toString path}) to point to a local working tree of a Git repository, but it's not."
      else make path (mirrored tracked.outPath);

    isFileset = value: value._type or null == "fileset" || isPath value;
    toList = set: let s = coerce "toList" "Argument" set; in if s.base == null then [ ] else filesOf s.base s.tree;
    trace = set: value:
      lib.lists.foldr builtins.trace value (show (coerce "trace" "Argument" set));
    traceVal = set: lib.lists.foldr builtins.trace set (show (coerce "traceVal" "Argument" set));

    toSource = { root, fileset }:
      let
        set = coerce "toSource" "`fileset`" fileset;
        depth = builtins.length (parts root);
        atRoot = if set.base == null then null else seenFrom (parts root) (parts set.base) set.tree;
        included = path: _:
          let names = lib.lists.drop depth (parts path);
          in hasFiles (rooted (parts path)) (descend names atRoot);
        refused = said: throw "lib.fileset.toSource: ${said}";
      in
      if !isPath root then
        if root ? _isLibCleanSourceWith then
          refused "`root` is a `lib.sources`-based value, but it should be a path instead.\n    `lib.fileset.fromSource` makes a file set of it, to be given as `fileset`."
        else if lib.strings.isStringLike root then
          refused "`root` (\"${toString root}\") is a string-like value, but it should be a path instead.\n    A path is written without quotes: ./."
        else refused "`root` is of type ${builtins.typeOf root}, but it should be a path instead."
      else if !pathExists root then refused "`root` (${toString root}) is a path that does not exist."
      else if !(isFolder root) then
        refused "`root` (${toString root}) is a file, but it should be a directory instead. Potential solutions:\n    - Set `root` to its directory, ${toString (dirOf root)}, and `fileset` to the file.\n    - To have the file alone in the store, interpolate it in a string, or use `builtins.path`."
      else if set.base != null && !(lib.lists.hasPrefix (parts root) (parts set.base)) then
        refused "`fileset` could contain files in ${toString set.base}, which is not under the `root` (${toString root}). Potential solutions:\n    - Set `root` to ${toString set.base} or a directory above it; the source's layout changes with it.\n    - Keep `fileset` to what is below `root`."
      else {
        _isLibCleanSourceWith = true;
        origSrc = root;
        name = "source";
        filter = included;
        outPath = builtins.path { path = root; name = "source"; filter = included; };
      };
  };
in
self
