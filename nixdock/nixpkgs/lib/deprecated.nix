# Names that old expressions still use.
{ lib }:

let
  inherit (builtins) attrNames elem head isAttrs isBool isFunction isInt isList removeAttrs tail;
  inherit (lib.attrsets) attrByPath;
  inherit (lib.lists) foldl;

  self = {
    maybeEnv = name: default: let value = builtins.getEnv name; in if value == "" then default else value;

    # Functions of arguments that come one set at a time.
    defaultMergeArg = before: more: if isAttrs more then more else more before;
    defaultMerge = before: more: before // self.defaultMergeArg before more;
    foldArgs = merge: f: before: more:
      let
        args = merge before (self.defaultMergeArg before more);
        called = self.setAttrMerge "passthru" { } (f args) (old: old // {
          function = self.foldArgs merge f args;
          args = attrByPath [ "passthru" "args" ] { } old // more;
        });
      in
      called // { override = called.passthru.function; };
    innerModifySumArgs = f: extra: args: more:
      if more == null then f args more // extra else self.innerModifySumArgs f extra (args // more);
    modifySumArgs = f: extra: self.innerModifySumArgs f extra { };

    maybeAttrNullable = self.maybeAttr;
    maybeAttr = name: default: set: set.${name} or default;
    ifEnable = condition: value:
      if condition then value
      else if isList value then [ ]
      else if isAttrs value then { }
      else if isBool value then false
      else null;

    # Flags: attributes that are true, or names in the list `flags`.
    checkFlag = set: name:
      if name == "true" then true
      else if name == "false" then false
      else elem name (set.flags or [ ]) || set.${name} or false;
    getValue = set: pairs: name:
      set.${name} or (
        if self.checkFlag set name then true
        else
          let found = lib.lists.findFirst (pair: head pair == name) null pairs;
          in if found == null then null else builtins.elemAt found 1);
    checkReqs = set: pairs: requirements:
      let given = name: let value = self.getValue set pairs name; in value != null && value != false;
      in
      builtins.all (names: !(self.checkFlag set (head names)) || builtins.all given (tail names)) requirements;
    # [ flag text flag text … ]: the text of the first flag that holds is appended.
    condConcat = text: pairs: holds:
      if pairs == [ ] then text
      else if holds (head pairs) then text + head (tail pairs)
      else self.condConcat text (tail (tail pairs)) holds;

    uniqList = { inputList, acc ? [ ] }: lib.lists.unique (acc ++ inputList);
    uniqListExt = { inputList, outputList ? [ ], getter ? (x: x), compare ? (x: y: x == y) }:
      builtins.foldl'
        (seen: x: if builtins.any (other: compare (getter x) (getter other)) seen then seen else seen ++ [ x ])
        outputList
        inputList;
    imap = lib.lists.imap1;

    lazyGenericClosure = { startSet, operator }:
      let
        walk = seen: rest:
          if rest == [ ] then [ ]
          else if elem (head rest).key seen then walk seen (tail rest)
          else [ (head rest) ] ++ walk (seen ++ [ (head rest).key ]) (tail rest ++ operator (head rest));
      in
      walk [ ] startSet;
    innerClosePropagation = ready: todo: self.closePropagation (ready ++ todo);
    # Packages with all that they propagate to those who use them.
    closePropagation = packages:
      let items = list: map (package: { key = package.outPath; inherit package; }) (builtins.filter (x: x ? outPath) list);
      in
      map (item: item.package) (builtins.genericClosure {
        startSet = items packages;
        operator = item: items (item.package.propagatedBuildInputs or [ ] ++ item.package.propagatedNativeBuildInputs or [ ]);
      });

    mapAttrsFlatten = lib.attrsets.mapAttrsToList;
    nvs = name: value: { ${name} = value; };
    setAttr = set: name: value: set // { ${name} = value; };
    setAttrMerge = name: default: set: f: set // { ${name} = f (set.${name} or default); };

    # Sets that are merged by functions of their attributes.
    mergeAttrsWithFunc = f: left: right:
      builtins.foldl' (done: name: done // { ${name} = f done.${name} right.${name}; }) (right // left) (attrNames right);
    mergeAttrsConcatenateValues = self.mergeAttrsWithFunc (a: b: a ++ b);
    mergeAttrsNoOverride = { mergeLists ? [ "buildInputs" "propagatedBuildInputs" ], overrideSnd ? [ "buildPhase" ] }: left: right:
      let
        one = name:
          if !(right ? ${name}) then left.${name}
          else if !(left ? ${name}) then right.${name}
          else if elem name mergeLists then left.${name} ++ right.${name}
          else if elem name overrideSnd then right.${name}
          else throw "mergeAttrsNoOverride: both sets have ${name}, and nothing says how to merge it";
      in
      builtins.mapAttrs (name: _: one name) (left // right);
    mergeAttrByFunc = left: right:
      let
        by = { mergeAttrBy = a: b: a // b; } // left.mergeAttrBy or { } // right.mergeAttrBy or { };
        merged = builtins.mapAttrs (name: _: by.${name} left.${name} right.${name})
          (builtins.intersectAttrs by (builtins.intersectAttrs left right));
      in
      left // right // merged;
    mergeAttrsByFuncDefaults = foldl self.mergeAttrByFunc { inherit (self) mergeAttrBy; };
    mergeAttrsByFuncDefaultsClean = list: removeAttrs (self.mergeAttrsByFuncDefaults list) [ "mergeAttrBy" ];
    mergeAttrBy =
      lib.attrsets.genAttrs
        [ "nativeBuildInputs" "buildInputs" "propagatedBuildInputs" "configureFlags" "prePhases" "postAll" "patches" ]
        (_: a: b: a ++ b)
      // lib.attrsets.genAttrs [ "passthru" "meta" "cfg" "flags" ] (_: a: b: a // b)
      // lib.attrsets.genAttrs [ "preConfigure" "postInstall" ] (_: a: b: a + "\n" + b);

    nixType = x:
      if isAttrs x then (if x ? outPath then "derivation" else "attrs")
      else if isFunction x then "function"
      else if isList x then "list"
      else if isBool x then "bool"
      else if x == null then "null"
      else if isInt x then "int"
      else "string";

    # Hashes that cannot be right, to learn the right one from the error.
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    fakeSha256 = lib.strings.replicate 64 "0";
    fakeSha512 = lib.strings.replicate 128 "0";
  };
in
self
