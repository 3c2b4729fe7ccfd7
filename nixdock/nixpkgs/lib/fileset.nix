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

  coerce = what: value:
    if value._type or null == "fileset" then value
    else if value ? _isLibCleanSourceWith then
      make value.origSrc (filtered (path: type: value.filter (toString path) type) value.origSrc)
    else if !isPath value then
      throw "lib.fileset.${what}: an argument is of type ${builtins.typeOf value}, but it should be a file set or a path instead."
    else if !pathExists value then
      throw "lib.fileset.${what}: an argument (${toString value}) is a path that does not exist.\n    To create a file set from a path that may not exist, use `lib.fileset.maybeMissing`."
    else if pathType value == "directory" then make value true
    else make (dirOf value) { ${baseNameOf value} = true; };
  make = base: tree: { _type = "fileset"; inherit base tree; };
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

  # Both trees below the folder that both have.
  aligned = combine: left: right:
    if left.base == null || right.base == null then
      let one = if left.base == null then right else left;
      in if one.base == null then empty
      else make one.base (combine one.base (if left.base == null then null else left.tree) (if right.base == null then null else right.tree))
    else
      let
        a = parts left.base;
        b = parts right.base;
        common = lib.lists.commonPrefix a b;
        below = names: tree: wrap (lib.lists.drop (builtins.length common) names) tree;
        base = rooted common;
      in
      make base (combine base (below a left.tree) (below b right.tree));

  unionTrees = _: a: b:
    if a == true || b == true then true
    else if a == null then b
    else if b == null then a
    else a // mapAttrs (name: tree: unionTrees null (a.${name} or null) tree) b;
  intersectTrees = _: a: b:
    if a == null || b == null then null
    else if a == true then b
    else if b == true then a
    else mapAttrs (name: tree: intersectTrees null tree b.${name}) (builtins.intersectAttrs b a);
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

  self = {
    maybeMissing = path: if pathExists path then coerce "maybeMissing" path else empty;
    union = a: b: aligned unionTrees (coerce "union" a) (coerce "union" b);
    unions = sets: builtins.foldl' (aligned unionTrees) empty (map (coerce "unions") sets);
    intersection = a: b: aligned intersectTrees (coerce "intersection" a) (coerce "intersection" b);
    difference = a: b: aligned subtractTrees (coerce "difference" a) (coerce "difference" b);
    fileFilter = keep: path:
      let
        judge = file: type:
          type == "directory" || keep {
            name = baseNameOf file;
            inherit type;
            hasExt = ext: lib.strings.hasSuffix ".${ext}" (baseNameOf file);
          };
      in
      if !isPath path then throw "lib.fileset.fileFilter: Second argument is of type ${builtins.typeOf path}, but it should be a path instead."
      else if isFolder path then make path (filtered judge path)
      else make (dirOf path) { ${baseNameOf path} = if judge path (pathType path) then true else null; };
    fromSource = source: coerce "fromSource" source;
    isFileset = value: value._type or null == "fileset" || isPath value;
    toList = set: let s = coerce "toList" set; in if s.base == null then [ ] else filesOf s.base s.tree;
    trace = set: value: builtins.trace (toString (map toString (self.toList set))) value;
    traceVal = set: self.trace set set;

    toSource = { root, fileset }:
      let
        set = coerce "toSource" fileset;
        depth = builtins.length (parts root);
        whole = aligned (_: _: tree: tree) (make root null) set;
        wholeParts = if set.base == null then [ ] else parts whole.base;
        # The tree at `root`, however far above it the set's base is.
        atRoot = builtins.foldl'
          (tree: name: if isAttrs tree then tree.${name} or null else tree)
          (if set.base == null then null else whole.tree)
          (lib.lists.drop (builtins.length wholeParts) (parts root));
        find = tree: names:
          if names == [ ] || !isAttrs tree then tree else find (tree.${builtins.head names} or null) (builtins.tail names);
        included = path: _:
          let names = lib.lists.drop depth (parts path);
          in hasFiles (rooted (parts path)) (find atRoot names);
        outside = set.base != null && !(lib.lists.hasPrefix (parts root) wholeParts)
          && builtins.any (file: !(lib.lists.hasPrefix (parts root) (parts file))) (self.toList set);
      in
      if !isPath root then throw "lib.fileset.toSource: `root` is of type ${builtins.typeOf root}, but it should be a path instead."
      else if !(pathExists root && isFolder root) then throw "lib.fileset.toSource: `root` (${toString root}) is not a folder."
      else if outside then throw "lib.fileset.toSource: `fileset` has files outside of `root` (${toString root})."
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
