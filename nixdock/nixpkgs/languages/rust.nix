# Rust, and projects of it built from source: vendored, or with the crates of their lock file fetched where there is
# a network.
{ lib, debian, pkgs }:

let
  program = name: main:
    let unit = debian.package name;
    in unit // { meta = unit.meta // { mainProgram = main; }; };
  rustc = program "rustc" "rustc" // { targetPlatforms = lib.platforms.linux; unwrapped = debian.package "rustc"; };
  cargo = program "cargo" "cargo";

  target = pkgs.stdenv.hostPlatform.rust.rustcTarget;

  vendorScript = "${./builders/cargo_vendor.py}";

  # Where the crates of a registry are, by what a lock file calls it: an index is beside what it is the index of.
  registryOf = extra: source:
    let
      index = lib.removePrefix "sparse+" (lib.removePrefix "registry+" source);
      beside = builtins.match "(registry|sparse)\\+(https?)://(.*/([^/]+)-index|index\\.([^/]+))/?" source;
      part = builtins.elemAt beside;
      host = if part 3 != null then part 3 else part 4;
    in
      extra.${index} or (if beside != null then "${part 1}://${host}/api/v1/crates"
      else throw "the lock file names a registry whose crates are at an address that is not known: ${index}; say it by extraRegistries");

  # A folder that cargo takes for all registries and repositories that the lock file names.
  vendored = name: staging: pkgs.runCommandLocal "${name}-vendor" { nativeBuildInputs = [ pkgs.python3 ]; inherit staging; } ''
    python3 ${vendorScript} make $staging $out
  '';

  importCargoLock =
    { lockFile ? null
    , lockFileContents ? builtins.readFile lockFile
    , outputHashes ? { }
    , extraRegistries ? { }
    , allowBuiltinFetchGit ? false
    , ...
    }:
    let
      lock = builtins.fromTOML lockFileContents;
      foreign = builtins.filter (one: one ? source) (lock.package or [ ]);
      full = one: "${one.name}-${one.version}";
      isGit = one: lib.hasPrefix "git+" one.source;
      repository = one:
        let parts = builtins.match "git\\+([^?#]*)([?][^#]*)?#(.*)" one.source;
        in { url = builtins.head parts; rev = builtins.elemAt parts 2; };
      tree = one:
        if outputHashes ? ${full one} then
          pkgs.fetchgit { inherit (repository one) url rev; hash = outputHashes.${full one}; }
        else if allowBuiltinFetchGit then
          builtins.fetchGit { inherit (repository one) url rev; allRefs = true; submodules = true; }
        else
          throw ''importCargoLock: the git dependency ${full one} has no hash; add outputHashes."${full one}" = lib.fakeHash, and build to be told it'';
      archive = one: pkgs.fetchurl {
        name = "crate-${full one}.tar.gz";
        url = "${registryOf extraRegistries one.source}/${one.name}/${one.version}/download";
        sha256 = one.checksum or lock.metadata."checksum ${one.name} ${one.version} (${one.source})";
      };
      entry = one:
        if isGit one then { name = "git/${(repository one).rev}"; path = tree one; }
        else { name = "tarballs/${full one}.tar.gz"; path = archive one; };
    in
    vendored "cargo" (pkgs.linkFarm "cargo-vendor-staging" (
      lib.listToAttrs (map (one: let made = entry one; in lib.nameValuePair made.name made.path) foreign)
      // { "Cargo.lock" = pkgs.writeText "Cargo.lock" lockFileContents; }));

  fetchCargoVendor =
    { name ? if args ? pname && args ? version then "${args.pname}-${args.version}" else "cargo-deps"
    , hash ? ""
    , nativeBuildInputs ? [ ]
    , ...
    }@args:
    vendored name (pkgs.stdenvNoCC.mkDerivation (removeAttrs args [ "name" "pname" "version" "hash" ] // {
      name = "${name}-vendor-staging";
      nativeBuildInputs = nativeBuildInputs ++ [ pkgs.python3 pkgs.curl pkgs.git ];
      phases = [ "unpackPhase" "patchPhase" "buildPhase" ];
      CURL_CA_BUNDLE = import ./certificates.nix { inherit pkgs; };
      GIT_SSL_CAINFO = import ./certificates.nix { inherit pkgs; };
      buildPhase = ''
        runHook preBuild
        if [ -n "''${cargoRoot-}" ]; then cd "$cargoRoot"; fi
        mkdir $out
        if ! python3 ${vendorScript} fetch Cargo.lock $out; then
          nixErrorLog "the crates of Cargo.lock cannot be fetched; without a network keep the folder that \`cargo vendor\` makes" \
            "in the source, and set cargoVendorDir to its name"
          exit 1
        fi
        runHook postBuild
      '';
      impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      outputHashMode = "recursive";
      outputHash = hash;
    } // lib.optionalAttrs (hash == "") { outputHashAlgo = "sha256"; }));

  # The text of the lock file, where the source is a folder of the user's; else null.
  lockOf = args:
    let
      src = args.src.origSrc or args.src or null;
      file = src + "/${args.cargoRoot or "."}/Cargo.lock";
    in
    if builtins.isPath src && builtins.pathExists file then builtins.readFile file else null;

  platform = { rustc, cargo, stdenv ? pkgs.stdenv, ... }: lib.fix (self:
    let
      hook = pkgs.makeSetupHook
        {
          name = "cargo-hooks";
          propagatedBuildInputs = [ rustc cargo ];
          substitutions = { inherit target; };
        } ./rust/hooks.sh;
    in
    {
      rust = { inherit rustc cargo; };
      inherit importCargoLock fetchCargoVendor;
      cargoSetupHook = hook;
      cargoBuildHook = hook;
      cargoCheckHook = hook;
      cargoInstallHook = hook;
      maturinBuildHook = throw "rustPlatform.maturinBuildHook: Debian has no maturin; use python3.pkgs as Debian built them, or the real nixpkgs (--nixpkgs PATH)";
      bindgenHook = pkgs.makeSetupHook
        {
          name = "bindgen-hook";
          substitutions.libclang = debian.either [ "libclang1-19" "libclang1-14" ];
        } ./rust/bindgen.sh;
      rustLibSrc = "${debian.package "rust-src"}/lib/rustlib/src/rust/library";
      rustcSrc = "${debian.package "rust-src"}/lib/rustlib/src/rust";
      fetchCargoTarball = throw "fetchCargoTarball is gone from nixpkgs too: use rustPlatform.fetchCargoVendor";

      buildRustPackage = lib.extendMkDerivation {
        constructDrv = stdenv.mkDerivation;
        excludeDrvArgNames = [ "cargoLock" "cargoSha256" "depsExtraArgs" "cargoUpdateHook" "auditable" "useNextest" ];
        extendDrvArgs = final:
          { nativeBuildInputs ? [ ]
          , cargoLock ? null
          , buildType ? "release"
          , buildFeatures ? [ ]
          , buildNoDefaultFeatures ? false
          , doCheck ? true
          , meta ? { }
          , ...
          }@args:
          let
            text = lockOf args;
            needsNone = text != null && !builtins.any (one: one ? source) ((builtins.fromTOML text).package or [ ]);
            hash = final.cargoHash or null;
            cargoDeps =
              if args ? cargoDeps then args.cargoDeps
              else if args.cargoVendorDir or null != null then null
              else if cargoLock != null then importCargoLock cargoLock
              else if needsNone then null
              else if hash != null then
                fetchCargoVendor ({
                  name = final.name or "${final.pname}-${final.version}";
                  inherit hash;
                  patches = final.patches or [ ] ++ final.cargoPatches or [ ];
                } // builtins.intersectAttrs (lib.genAttrs [ "src" "srcs" "sourceRoot" "cargoRoot" "preUnpack" "unpackPhase" "postUnpack" ] (_: null)) final
                // args.depsExtraArgs or { })
              else if args ? cargoSha256 then
                if text != null then importCargoLock { lockFileContents = text; }
                else throw "buildRustPackage: cargoSha256 is the hash of an archive that nixpkgs does not make any more; give cargoLock.lockFile, or cargoHash"
              else null;
          in
          {
            inherit cargoDeps doCheck;
            nativeBuildInputs = nativeBuildInputs ++ [ hook ];
            patches = args.cargoPatches or [ ] ++ args.patches or [ ];
            cargoBuildType = buildType;
            cargoCheckType = args.checkType or buildType;
            cargoBuildNoDefaultFeatures = buildNoDefaultFeatures;
            cargoCheckNoDefaultFeatures = args.checkNoDefaultFeatures or buildNoDefaultFeatures;
            cargoBuildFeatures = buildFeatures;
            cargoCheckFeatures = args.checkFeatures or buildFeatures;
            strictDeps = args.strictDeps or true;
            meta = { platforms = lib.platforms.linux; } // meta;
          };
      };
    });
in
{
  inherit rustc cargo;
  rustfmt = program "rustfmt" "rustfmt";
  clippy = program "rust-clippy" "cargo-clippy";
  rustPlatform = platform { inherit rustc cargo; };
  makeRustPlatform = platform;
  rust = {
    toRustTarget = _platform: target;
    toRustTargetSpec = _platform: target;
    toRustTargetSpecShort = _platform: target;
    envVars = { };
  };
  rustPackages = { inherit rustc cargo; inherit (pkgs) rustPlatform rustfmt clippy; };
}
