# Path values: absolute ones as Nix has them, and relative ones as text ("subpaths").
{ lib }:

let
  inherit (builtins) isPath isString;

  components = text: builtins.filter (x: builtins.isString x && x != "" && x != ".") (builtins.split "/" text);
  reasonAgainst = text:
    if !isString text then "The given value is of type ${builtins.typeOf text}, but a string was expected"
    else if text == "" then "The given string is empty"
    else if builtins.substring 0 1 text == "/" then "The given string \"${text}\" starts with a `/`, representing an absolute path"
    else if builtins.elem ".." (components text) then "The given string \"${text}\" contains a `..` component, which is not allowed in subpaths"
    else null;
  joined = parts: if parts == [ ] then "./." else "./" + lib.strings.concatStringsSep "/" parts;
  ownParts = path: components (toString path);
  # `value`, where the arguments are paths.
  onPaths = of: arguments: value:
    let wrong = builtins.filter (argument: !isPath argument.value) arguments;
    in
    if wrong == [ ] then value
    else
      let one = builtins.head wrong;
      in throw "lib.path.${of}: ${one.name} is of type ${builtins.typeOf one.value}, but a path was expected";
  argument = name: value: { inherit name value; };
  # How many parts of a path are that of the store path that it is in; null if it is in none.
  storeParts = path:
    let
      store = components builtins.storeDir;
      count = builtins.length store;
      all = ownParts path;
      named = lib.lists.hasPrefix store all && builtins.length all > count
        && builtins.match ".{32}-.+" (builtins.elemAt all count) != null;
    in
    if named then count + 1
    else if all != [ ] && builtins.match "[0-9a-z]{52}" (builtins.head all) != null then 1
    else null;

  self = {
    append = path: subpath:
      assert lib.asserts.assertMsg (isPath path)
        "lib.path.append: The first argument is of type ${builtins.typeOf path}, but a path was expected";
      assert lib.asserts.assertMsg (reasonAgainst subpath == null)
        "lib.path.append: Second argument is not a valid subpath string:\n    ${reasonAgainst subpath}";
      path + ("/" + subpath);
    hasPrefix = prefix: path:
      onPaths "hasPrefix" [ (argument "First argument" prefix) (argument "Second argument" path) ]
        (lib.lists.hasPrefix (ownParts prefix) (ownParts path));
    # Below a path of the store, or of what stands for one whose hash is not known before it is built.
    hasStorePathPrefix = path: onPaths "hasStorePathPrefix" [ (argument "Argument" path) ] (storeParts path != null);
    splitStorePath = path:
      let
        stored = storeParts path;
        own = lib.lists.take stored (ownParts path);
      in
      assert onPaths "splitStorePath" [ (argument "Argument" path) ] true;
      assert lib.asserts.assertMsg (stored != null)
        "lib.path.splitStorePath: Argument \"${toString path}\" is not within a path of the store";
      {
        storePath = /. + lib.strings.concatMapStrings (part: "/${part}") own;
        subpath = joined (lib.lists.drop stored (ownParts path));
      };
    removePrefix = prefix: path:
      assert onPaths "removePrefix" [ (argument "First argument" prefix) (argument "Second argument" path) ] true;
      assert lib.asserts.assertMsg (self.hasPrefix prefix path)
        "lib.path.removePrefix: The first path argument \"${toString prefix}\" is not a component-wise prefix of the second path argument \"${toString path}\".";
      joined (lib.lists.removePrefix (ownParts prefix) (ownParts path));
    splitRoot = path:
      onPaths "splitRoot" [ (argument "The given value" path) ] { root = /.; subpath = joined (ownParts path); };
    subpath = {
      isValid = value: reasonAgainst value == null;
      join = subpaths:
        let bad = lib.lists.findFirst (x: reasonAgainst x != null) null subpaths;
        in
        if bad != null then throw "lib.path.subpath.join: an element is not a valid subpath string:\n    ${reasonAgainst bad}"
        else joined (builtins.concatMap components subpaths);
      components = text:
        if reasonAgainst text != null then throw "lib.path.subpath.components: Argument is not a valid subpath string:\n    ${reasonAgainst text}"
        else components text;
      normalise = text:
        if reasonAgainst text != null then throw "lib.path.subpath.normalise: Argument is not a valid subpath string:\n    ${reasonAgainst text}"
        else joined (components text);
    };
  };
in
self
