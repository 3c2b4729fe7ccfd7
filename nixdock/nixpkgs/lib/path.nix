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

  self = {
    append = path: subpath:
      assert lib.asserts.assertMsg (isPath path)
        "lib.path.append: The first argument is of type ${builtins.typeOf path}, but a path was expected";
      assert lib.asserts.assertMsg (reasonAgainst subpath == null)
        "lib.path.append: Second argument is not a valid subpath string:\n    ${reasonAgainst subpath}";
      path + ("/" + subpath);
    hasPrefix = prefix: path: lib.lists.hasPrefix (ownParts prefix) (ownParts path);
    hasStorePathPrefix = path:
      let store = components builtins.storeDir;
      in
      lib.lists.hasPrefix store (ownParts path) && builtins.length (ownParts path) > builtins.length store;
    removePrefix = prefix: path:
      assert lib.asserts.assertMsg (self.hasPrefix prefix path)
        "lib.path.removePrefix: The first path argument \"${toString prefix}\" is not a component-wise prefix of the second path argument \"${toString path}\".";
      joined (lib.lists.removePrefix (ownParts prefix) (ownParts path));
    splitRoot = path: { root = /.; subpath = joined (ownParts path); };
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
