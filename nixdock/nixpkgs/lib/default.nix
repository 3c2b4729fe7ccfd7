# The library of the offline package set: pure functions under the names, and with the behaviour,
# that the nixpkgs manual gives them. Each file is one topic and is read only when something of it is used.
let
  # `lib` is what all of it becomes, with whatever `lib.extend` adds.
  library = lib:
    let
      call = file: import file { inherit lib; };

      topics = {
        trivial = call ./trivial.nix;
        fixedPoints = call ./fixed-points.nix;
        attrsets = call ./attrsets.nix;
        lists = call ./lists.nix;
        strings = call ./strings.nix;
        stringsWithDeps = call ./strings-with-deps.nix;
        versions = call ./versions.nix;
        asserts = call ./asserts.nix;
        debug = call ./debug.nix;
        customisation = call ./customisation.nix;
        derivations = call ./derivations.nix;
        meta = call ./meta.nix;
        licenses = call ./licenses.nix;
        sourceTypes = call ./source-types.nix;
        generators = call ./generators.nix;
        gvariant = call ./gvariant.nix;
        cli = call ./cli.nix;
        path = call ./path.nix;
        filesystem = call ./filesystem.nix;
        sources = call ./sources.nix;
        fileset = call ./fileset.nix;
        fetchers = call ./fetchers.nix;
        network = call ./network.nix;
        kernel = call ./kernel.nix;
        flakes = call ./flakes.nix;
        systems = call ./systems;
        platforms = lib.systems.doubles;
        options = call ./options.nix;
        modules = call ./modules;
        types = call ./types;
        deprecated.misc = call ./deprecated.nix;
        misc = lib.deprecated.misc;

        # Nobody maintains a package of this set but its table; `with lib.maintainers; [ ]` must still evaluate.
        maintainers = { };
        teams = { };

        inherit (builtins)
          add addErrorContext appendContext attrNames attrValues baseNameOf bitAnd bitOr bitXor catAttrs ceil
          compareVersions concatLists concatMap concatStringsSep deepSeq dirOf div elem elemAt filter floor foldl' fromJSON
          fromTOML functionArgs genList genericClosure getAttr getContext getEnv hasAttr hasContext hashFile
          hashString head intersectAttrs isAttrs isBool isFloat isFunction isInt isList isPath isString length
          lessThan listToAttrs mapAttrs match mul parseDrvName partition pathExists placeholder readDir
          readFile removeAttrs replaceStrings seq sort split splitVersion storeDir storePath stringLength sub
          substring tail toFile toJSON toString toXML trace tryEval typeOf unsafeDiscardOutputDependency
          unsafeDiscardStringContext unsafeGetAttrPos;
      };
    in
    # The finished set must not be asked for while it is put together.
    topics
    // topics.trivial
    // topics.fixedPoints
    // topics.attrsets
    // topics.lists
    // topics.strings
    // {
      # Lists and strings both have one; the plain name is the lists'.
      inherit (lib.lists) replicate;
      inherit (lib.stringsWithDeps)
        textClosureList textClosureMap noDepEntry fullDepEntry packEntry stringAfter;
      inherit (lib.asserts) assertMsg assertOneOf assertEachOneOf;
      inherit (lib.debug)
        traceIf traceVal traceValFn traceSeq traceSeqN traceValSeq traceValSeqFn traceValSeqN traceValSeqNFn
        traceFnSeqN runTests testAllTrue;
      inherit (lib.customisation)
        overrideDerivation makeOverridable callPackageWith callPackagesWith extendDerivation hydraJob makeScope
        makeScopeWithSplicing makeScopeWithSplicing' extendMkDerivation renameCrossIndexFrom renameCrossIndexTo
        mapCrossIndex;
      inherit (lib.derivations) lazyDerivation optionalDrvAttr warnOnInstantiate;
      inherit (lib.meta)
        addMetaAttrs dontDistribute setName updateName appendToName mapDerivationAttrset setPrio lowPrio lowPrioSet
        hiPrio hiPrioSet licensesSpdx getLicenseFromSpdxId getLicenseFromSpdxIdOr getExe getExe' availableOn;
      inherit (lib.generators) mkValueStringDefault mkLuaInline;
      inherit (lib.cli) toGNUCommandLine toGNUCommandLineShell;
      inherit (lib.filesystem) pathType pathIsDirectory pathIsRegularFile packagesFromDirectoryRecursive;
      inherit (lib.sources)
        cleanSourceFilter cleanSource sourceByRegex sourceFilesBySuffices commitIdFromGitRepo cleanSourceWith
        pathHasContext canCleanSource pathIsGitRepo revOrTag repoRevToName;
      inherit (lib.modules)
        applyModuleArgsIfFunction dischargeProperties doRename evalModules evalOptionValue filterOverrides
        fixMergeModules fixupOptionType mergeDefinitions mergeModules mergeModules' mergeOptionDecls mkAfter
        mkAliasAndWrapDefinitions mkAliasDefinitions mkAliasOptionModule mkAliasOptionModuleMD mkAssert mkBefore
        mkChangedOptionModule mkDefault mkDefinition mkDerivedConfig mkFixStrictness mkForce mkIf
        mkImageMediaOverride mkMerge mkMergedOptionModule mkOptionDefault mkOrder mkOverride mkRemovedOptionModule
        mkRenamedOptionModule mkRenamedOptionModuleWith mkVMOverride pushDownProperties setDefaultModuleLocation
        sortProperties unifyModuleSyntax;
      inherit (lib.options)
        getFiles getValues isOption literalExample literalExpression literalMD mdDoc mergeDefaultOption
        mergeEqualOption mergeOneOption mergeUniqueOption mkEnableOption mkOption mkPackageOption
        mkPackageOptionMD mkSinkUndeclaredOptions optionAttrSetToDocList optionAttrSetToDocList'
        scrubOptionValue showFiles showOption showOptionWithDefLocs unknownModule;
      inherit (lib.types) defaultFunctor defaultTypeMerge isOptionType isType mkOptionType setType;
      inherit (lib.flakes) parseFlakeRef flakeRefToString;
      inherit (lib.deprecated.misc)
        maybeEnv defaultMergeArg defaultMerge foldArgs maybeAttrNullable maybeAttr ifEnable checkFlag getValue
        checkReqs uniqList uniqListExt condConcat lazyGenericClosure innerModifySumArgs modifySumArgs
        innerClosePropagation closePropagation mapAttrsFlatten nvs setAttr setAttrMerge mergeAttrsWithFunc
        mergeAttrsConcatenateValues mergeAttrsNoOverride mergeAttrByFunc mergeAttrsByFuncDefaults
        mergeAttrsByFuncDefaultsClean mergeAttrBy fakeHash fakeSha256 fakeSha512 nixType imap;
    };

  extensible = (import ./fixed-points.nix { lib = extensible; }).makeExtensible library;
in
extensible
