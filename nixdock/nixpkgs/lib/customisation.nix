# Functions whose results can be made again with other arguments, and scopes of packages.
{ lib }:

let
  inherit (lib.trivial) functionArgs isFunction mirrorFunctionArgs;

  # The names nearest to one that is missing.
  near = names: name:
    let
      limit = lib.trivial.max 2 (builtins.stringLength name / 3);
      close = builtins.filter
        (other:
          lib.trivial.max (builtins.stringLength other - builtins.stringLength name)
            (builtins.stringLength name - builtins.stringLength other) <= limit
          && builtins.substring 0 1 other == builtins.substring 0 1 name
          && lib.strings.levenshtein name other <= limit)
        names;
    in
    lib.lists.take 3 (lib.lists.sortOn (lib.strings.levenshtein name) close);

  self = {
    overrideDerivation = drv: f:
      let
        made = drv.drvAttrs;
        new = derivation (made // f drv);
      in
      lib.attrsets.optionalAttrs (drv ? meta) { inherit (drv) meta; }
      // lib.attrsets.optionalAttrs (drv ? passthru) ({ inherit (drv) passthru; } // drv.passthru)
      // new
      // {
        type = "derivation";
        overrideDerivation = self.overrideDerivation new;
      };

    makeOverridable = f:
      let
        # What a function that is a set says beside its call, stays; its own `override` gives another such function.
        described = g:
          if builtins.isAttrs f then
            f // g // lib.attrsets.optionalAttrs (f ? override) { override = change: self.makeOverridable (f.override change); }
          else g;
        mirrored = g: described (mirrorFunctionArgs f g);
      in
      mirrored (args:
        let
          result = f args;
          change = new: args // (if isFunction new then new args else new);
          again = mirrorFunctionArgs f (new: self.makeOverridable f (change new));
          mapped = g: self.makeOverridable (mirrored (args: g (f args))) args;
        in
        if builtins.isAttrs result then
          result // {
            override = again;
            overrideDerivation = change: mapped (drv: self.overrideDerivation drv change);
          }
          // lib.attrsets.optionalAttrs (result ? overrideAttrs) {
            overrideAttrs = change: mapped (drv: drv.overrideAttrs change);
          }
        else if isFunction result then
          lib.trivial.setFunctionArgs result (functionArgs result) // { override = again; }
        else
          result);

    # Calls a function with what it asks for of `scope`, and with `args`.
    callPackageWith = scope: target: args:
      let
        isPath = builtins.isPath target || builtins.isString target;
        f = if isFunction target then target else import target;
        wanted = functionArgs f;
        all = builtins.intersectAttrs wanted scope // args;
        missing = builtins.filter (name: !wanted.${name} && !(all ? ${name})) (builtins.attrNames wanted);
        first = builtins.head missing;
        candidates = near (builtins.attrNames scope) first;
        where =
          if isPath then toString target
          else
            let position = builtins.unsafeGetAttrPos first wanted;
            in if position == null then "the function" else "${position.file}:${toString position.line}";
      in
      if missing == [ ] then
        self.makeOverridable f all
      else
        abort ''lib.customisation.callPackageWith: Function called without required argument "${first}" at ${where}${
          lib.strings.optionalString (candidates != [ ])
            ", did you mean ${lib.strings.concatMapStringsSep " or " (name: "\"${name}\"") candidates}?"}'';

    callPackagesWith = scope: target: args:
      let
        f = if isFunction target then target else import target;
        all = builtins.intersectAttrs (functionArgs f) scope // args;
        set = f all;
        one = name: _: self.makeOverridable (mirrorFunctionArgs f (new: (f new).${name})) all;
      in
      if lib.attrsets.isDerivation set then
        throw "function `callPackages` was called on a *single* derivation \"${set.name or "<unknown-name>"}\"; did you mean to use `callPackage` instead?"
      else
        builtins.mapAttrs one (removeAttrs set [ "recurseForDerivations" ])
        // lib.attrsets.optionalAttrs (set ? recurseForDerivations) { inherit (set) recurseForDerivations; };

    # Adds attributes to a derivation and to each of its outputs.
    extendDerivation = condition: passthru: drv:
      let
        outputs = drv.outputs or [ "out" ];
        common = drv // lib.attrsets.genAttrs outputs (name: ofOutput.${name})
          // { all = map (name: ofOutput.${name}) outputs; } // passthru;
        ofOutput = lib.attrsets.genAttrs outputs (name:
          common // {
            inherit (drv.${name}) type outputName;
            outputSpecified = true;
            drvPath = assert condition; drv.${name}.drvPath;
            outPath = assert condition; drv.${name}.outPath;
          } // lib.attrsets.optionalAttrs (passthru ? overrideAttrs) {
            overrideAttrs = change: (passthru.overrideAttrs change).${name};
          });
      in
      common // {
        drvPath = assert condition; drv.drvPath;
        outPath = assert condition; drv.outPath;
      };

    hydraJob = drv:
      if drv == null then null
      else
        { inherit (drv) type name system meta outputs drvPath outPath outputName; }
        // lib.attrsets.genAttrs drv.outputs (output: { inherit (drv.${output}) outPath drvPath type outputName; });

    # `f` and overlays of it may bring a callPackage of their own.
    makeScope = newScope: f:
      let
        common = final: { newScope = more: newScope (final // more); callPackage = final.newScope { }; };
        scope = common scope // f scope // {
          overrideScope = overlay:
            self.makeScope newScope (lib.fixedPoints.extends overlay (final: common final // f final));
          packages = f;
        };
      in
      scope;

    # Splicing tells the packages of a cross build's machines apart; here they are told apart by name
    # (buildPackages), so that a spliced scope is a scope.
    makeScopeWithSplicing = _splicePackages: newScope: _others: _keep: extra: f:
      self.makeScope newScope (final: extra final // f final);
    makeScopeWithSplicing' = { newScope, ... }: { f, extra ? (_: { }), ... }:
      self.makeScope newScope (final: extra final // f final);

    # A builder on top of another one: `extendDrvArgs finalAttrs args` gives what is to be added.
    extendMkDerivation =
      { constructDrv
      , excludeDrvArgNames ? [ ]
      , excludeFunctionArgNames ? [ ]
      , extendDrvArgs
      , inheritFunctionArgs ? true
      , transformDrv ? lib.trivial.id
      }:
      let
        build = fpargs:
          transformDrv (constructDrv (final:
            let previous = if isFunction fpargs then fpargs final else fpargs;
            in removeAttrs previous excludeDrvArgNames // extendDrvArgs final previous));
        ownArgs = functionArgs (extendDrvArgs { });
      in
      lib.trivial.setFunctionArgs build
        (removeAttrs (lib.attrsets.optionalAttrs inheritFunctionArgs (functionArgs constructDrv) // ownArgs)
          excludeFunctionArgNames)
      // { inherit constructDrv excludeDrvArgNames extendDrvArgs transformDrv; };

    # The six places that a package of a cross build can have, `{ buildBuild = …; … }`, and the same with a prefix.
    mapCrossIndex = f: places: lib.attrsets.genAttrs crossNames (name: f places.${name});
    renameCrossIndexFrom = prefix: places: lib.attrsets.genAttrs crossNames (name: places.${prefixed prefix name});
    renameCrossIndexTo = prefix: places:
      lib.attrsets.genAttrs' crossNames (name: { name = prefixed prefix name; value = places.${name}; });
  };

  crossNames = [ "buildBuild" "buildHost" "buildTarget" "hostHost" "hostTarget" "targetTarget" ];
  prefixed = prefix: name:
    prefix + lib.strings.toUpper (builtins.substring 0 1 name) + builtins.substring 1 (-1) name;
in
self
