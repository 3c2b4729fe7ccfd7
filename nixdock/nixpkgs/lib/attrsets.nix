# Attribute sets.
{ lib }:

let
  inherit (builtins)
    attrNames attrValues concatMap elemAt foldl' getAttr hasAttr head isAttrs length listToAttrs mapAttrs removeAttrs
    tail;
  inherit (lib.trivial) id;

  self = {
    inherit (builtins) attrNames attrValues getAttr hasAttr isAttrs listToAttrs mapAttrs removeAttrs catAttrs
      intersectAttrs;

    # Paths into nested sets.
    attrByPath = path: default: set:
      if path == [ ] then set
      else if isAttrs set && set ? ${head path} then self.attrByPath (tail path) default set.${head path}
      else default;
    hasAttrByPath = path: set:
      path == [ ] || (isAttrs set && set ? ${head path} && self.hasAttrByPath (tail path) set.${head path});
    longestValidPathPrefix = path: set:
      if path == [ ] || !(isAttrs set && set ? ${head path}) then [ ]
      else [ (head path) ] ++ self.longestValidPathPrefix (tail path) set.${head path};
    setAttrByPath = path: value:
      if path == [ ] then value else { ${head path} = self.setAttrByPath (tail path) value; };
    getAttrFromPath = path: set:
      self.attrByPath path (abort "cannot find attribute '${lib.strings.concatStringsSep "." path}'") set;
    # Inner paths first: an outer update sees what the inner ones left. An attribute is made when it is asked for.
    updateManyAttrsByPath = updates: set: updatedAt 0 true set updates;

    attrVals = names: set: map (name: set.${name}) names;
    getAttrs = names: set: self.genAttrs names (name: set.${name});
    genAttrs = names: f: listToAttrs (map (name: { inherit name; value = f name; }) names);
    genAttrs' = values: f: listToAttrs (map f values);
    nameValuePair = name: value: { inherit name value; };

    filterAttrs = keep: set:
      removeAttrs set (builtins.filter (name: !keep name set.${name}) (attrNames set));
    filterAttrsRecursive = keep: set:
      mapAttrs (_: value: if isAttrs value then self.filterAttrsRecursive keep value else value)
        (self.filterAttrs keep set);
    foldlAttrs = f: start: set: foldl' (done: name: f done name set.${name}) start (attrNames set);
    foldAttrs = f: start: sets:
      lib.lists.foldr
        (set: done:
          foldl' (sum: name: sum // { ${name} = f set.${name} (done.${name} or start); }) done (attrNames set))
        { }
        sets;
    collect = wanted: value:
      if wanted value then [ value ]
      else if isAttrs value then concatMap (self.collect wanted) (attrValues value)
      else [ ];
    concatMapAttrs = f: set: self.mergeAttrsList (attrValues (mapAttrs f set));
    mergeAttrsList = sets:
      # Pairwise, so that n sets of m names cost m n log n and not m n n.
      let
        between = start: end:
          if end - start >= 2 then
            let middle = start + (end - start) / 2; in between start middle // between middle end
          else
            elemAt sets start;
      in
      if sets == [ ] then { } else between 0 (length sets);

    mapAttrs' = f: set: listToAttrs (self.mapAttrsToList f set);
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    attrsToList = self.mapAttrsToList self.nameValuePair;
    mapAttrsRecursive = self.mapAttrsRecursiveCond (_: true);
    mapAttrsRecursiveCond = condition: f: set:
      let
        below = path:
          mapAttrs (name: value:
            if isAttrs value && condition value then below (path ++ [ name ]) value else f (path ++ [ name ]) value);
      in
      below [ ] set;
    mapAttrsToListRecursive = self.mapAttrsToListRecursiveCond (_: _: true);
    mapAttrsToListRecursiveCond = condition: f: set:
      let
        below = path: value:
          if isAttrs value && (path == [ ] || condition path value) then
            concatMap (name: below (path ++ [ name ]) value.${name}) (attrNames value)
          else
            [ (f path value) ];
      in
      below [ ] set;

    cartesianProduct = sets:
      foldl' (rows: name: concatMap (row: map (value: row // { ${name} = value; }) sets.${name}) rows)
        [ { } ]
        (attrNames sets);
    cartesianProductOfSets = self.cartesianProduct;
    mapCartesianProduct = f: sets: map f (self.cartesianProduct sets);

    optionalAttrs = condition: set: if condition then set else { };

    zipAttrsWithNames = names: f: sets: self.genAttrs names (name: f name (builtins.catAttrs name sets));
    zipAttrsWith = builtins.zipAttrsWith or (f: sets:
      self.zipAttrsWithNames (attrNames (self.mergeAttrsList sets)) f sets);
    zipAttrs = self.zipAttrsWith (_: values: values);

    recursiveUpdateUntil = stop: left: right:
      let
        below = path:
          self.zipAttrsWith (name: values:
            let here = path ++ [ name ];
            in
            if length values == 1 || stop here (elemAt values 1) (head values) then head values else below here values);
      in
      # The right side first: it wins.
      below [ ] [ right left ];
    recursiveUpdate = self.recursiveUpdateUntil (_: left: right: !(isAttrs left && isAttrs right));
    matchAttrs = pattern: set:
      builtins.all
        (name:
          set ? ${name}
          && (if isAttrs pattern.${name} && isAttrs set.${name} then self.matchAttrs pattern.${name} set.${name}
          else pattern.${name} == set.${name}))
        (attrNames pattern);
    overrideExisting = old: new: mapAttrs (name: value: new.${name} or value) old;
    unionOfDisjoint = lib.trivial.unionOfDisjoint;

    showAttrPath = path:
      if path == [ ] then "<root attribute path>"
      else lib.strings.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;

    # Derivations and their outputs.
    isDerivation = value: value.type or null == "derivation";
    toDerivation = path:
      let
        stored = builtins.storePath path;
        self' = {
          type = "derivation";
          name = lib.strings.sanitizeDerivationName
            (builtins.substring 33 (-1) (baseNameOf (builtins.unsafeDiscardStringContext path)));
          outPath = stored;
          outputs = [ "out" ];
          out = self';
          outputName = "out";
        };
      in
      self';
    getOutput = output: package:
      if !(package ? outputSpecified) || !package.outputSpecified then package.${output} or package.out or package
      else package;
    getFirstOutput = candidates: package:
      let found = lib.lists.findFirst (name: hasAttr name package) null candidates;
      in if package.outputSpecified or false || found == null then package else package.${found};
    getBin = self.getOutput "bin";
    getLib = self.getFirstOutput [ "lib" "out" ];
    getStatic = self.getFirstOutput [ "static" "lib" "out" ];
    getDev = self.getOutput "dev";
    getInclude = self.getFirstOutput [ "include" "dev" "out" ];
    getMan = self.getOutput "man";
    chooseDevOutputs = map self.getDev;
    recurseIntoAttrs = set: set // { recurseForDerivations = true; };
    dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };
  };

  # The value at a depth, of which `there` says whether there is one, with all updates whose path leads through it.
  updatedAt = depth: there: value: updates:
    let
      level = builtins.partition (one: length one.path == depth) updates;
      below = builtins.groupBy (one: elemAt one.path depth) level.wrong;
      place = n: one: self.showAttrPath (lib.lists.take n one.path);
      inner =
        if below == { } then
          if there then value
          else throw "updateManyAttrsByPath: Path '${place depth (head updates)}' does not exist in the given value, but the first update to this path tries to access the existing value."
        else if !there then mapAttrs (_: updatedAt (depth + 1) false null) below
        else if isAttrs value then
          value // mapAttrs (name: updatedAt (depth + 1) (value ? ${name}) value.${name}) below
        else
          let one = head level.wrong;
          in throw "updateManyAttrsByPath: Path '${place (length one.path) one}' needs to be updated, but path '${place depth one}' of the given value is not an attribute set, so we can't update an attribute inside of it.";
    in
    # Not strictly: an update need not look at what was there.
    lib.lists.foldl (done: one: one.update done) inner level.right;
in
self
