# The library of the offline package set: pure functions under the names, and with the behaviour,
# that the nixpkgs manual gives them. Each file is one topic and is read only when something of it is used.
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
    cli = call ./cli.nix;
    path = call ./path.nix;
    filesystem = call ./filesystem.nix;
    sources = call ./sources.nix;
    fileset = call ./fileset.nix;
    fetchers = call ./fetchers.nix;
    systems = call ./systems;
    platforms = call ./platforms.nix;

    # Hashes that cannot be right, to learn the right one from the error.
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    fakeSha256 = "0000000000000000000000000000000000000000000000000000000000000000";

    # Nobody maintains a package of this set but its table; `with lib.maintainers; [ ]` must still evaluate.
    maintainers = { };
    teams = { };

    inherit (builtins)
      add addErrorContext attrNames attrValues bitAnd bitOr bitXor ceil concatLists concatMap div elem elemAt
      filter floor foldl' fromJSON functionArgs genList genericClosure getAttr hasAttr head intersectAttrs isAttrs
      isBool isFloat isFunction isInt isList isPath isString length lessThan listToAttrs match mul pathExists
      readFile removeAttrs replaceStrings seq deepSeq split stringLength sub substring tail toJSON toString trace
      tryEval typeOf unsafeGetAttrPos mapAttrs catAttrs;
  };

  # The set itself must not be asked for while it is put together.
  lib = topics
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
      traceFnSeqN runTests;
    inherit (lib.customisation)
      overrideDerivation makeOverridable callPackageWith callPackagesWith extendDerivation hydraJob makeScope
      makeScopeWithSplicing makeScopeWithSplicing' extendMkDerivation;
    inherit (lib.derivations) lazyDerivation optionalDrvAttr warnOnInstantiate;
    inherit (lib.meta)
      addMetaAttrs dontDistribute setName updateName appendToName mapDerivationAttrset setPrio lowPrio lowPrioSet
      hiPrio hiPrioSet licensesSpdx getLicenseFromSpdxId getLicenseFromSpdxIdOr getExe getExe' availableOn;
    inherit (lib.generators) mkValueStringDefault;
    inherit (lib.cli) toGNUCommandLine toGNUCommandLineShell;
    inherit (lib.filesystem) pathType pathIsDirectory pathIsRegularFile packagesFromDirectoryRecursive;
    inherit (lib.sources)
      cleanSourceFilter cleanSource sourceByRegex sourceFilesBySuffices commitIdFromGitRepo cleanSourceWith
      pathHasContext canCleanSource pathIsGitRepo;
  };
in
lib
