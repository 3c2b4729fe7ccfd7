# Node.js with npm, and projects of it: what they need comes from a cache that was fetched by a hash, from the lock
# file's own hashes, or stands in the source.
{ lib, debian, pkgs }:

let
  slim =
    let unit = debian.package "nodejs";
    in unit // { meta = unit.meta // { mainProgram = "node"; }; };
  npm = debian.package "npm";

  # Debian has npm apart from Node.js, with a package for each module.
  nodejs =
    let
      all = pkgs.linkFarm "nodejs-${slim.version}" {
        "bin/node" = "${slim}/bin/node";
        "bin/npm" = "${npm}/bin/npm";
        "bin/npx" = "${npm}/bin/npx";
        "lib/node_modules/npm" = "${npm}/share/nodejs/npm";
      };
    in
    all // {
      pname = "nodejs";
      inherit (slim) version;
      inherit slim;
      meta = slim.meta // { outputsToInstall = [ "out" ]; };
      pkgs = nodePackages;
    };

  nodePackages = {
    inherit nodejs npm;
    inherit (pkgs) yarn pnpm;
  }
  // lib.listToAttrs (map (name: lib.nameValuePair (lib.removePrefix "node-" name) (debian.package name))
    (builtins.filter (lib.hasPrefix "node-") debian.names));

  cacheScript = ./node/cache.js;

  # The cache of npm with all that a lock file names, laid out as nixpkgs does it.
  fetchNpmDeps =
    { name ? "npm-deps"
    , hash ? ""
    , forceEmptyCache ? false
    , forceGitDeps ? false
    , ...
    }@args:
    pkgs.stdenvNoCC.mkDerivation (removeAttrs args [ "hash" "forceGitDeps" "forceEmptyCache" "fetcherVersion" ] // {
      inherit name forceEmptyCache;
      CURL_CA_BUNDLE = import ./certificates.nix { inherit pkgs; };
      nativeBuildInputs = args.nativeBuildInputs or [ ] ++ [ slim pkgs.curl ];
      phases = [ "unpackPhase" "patchPhase" "buildPhase" ];
      buildPhase = ''
        runHook preBuild
        if [ ! -f package-lock.json ]; then
          nixErrorLog "the source has no package-lock.json, which \`npm install --package-lock-only\` makes"
          exit 1
        fi
        node ${cacheScript} list package-lock.json urls
        mkdir downloads
        if [ -s urls ] && ! curl --fail --silent --show-error --location --retry 3 --parallel --config urls; then
          nixErrorLog "the packages of package-lock.json cannot be fetched: where there is no network, keep node_modules" \
            "in the source and leave out npmDepsHash"
          exit 1
        fi
        node ${cacheScript} make package-lock.json downloads $out
        runHook postBuild
      '';
      impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "NIX_NPM_TOKENS" ];
      outputHashMode = "recursive";
      outputHash = hash;
    } // lib.optionalAttrs (hash == "") { outputHashAlgo = "sha256"; });

  # The same cache, of files that are fetched one by one, by the hashes in the lock file.
  importNpmLock = lib.setFunctionArgs
    (args@{ npmRoot ? null, package ? lib.importJSON (npmRoot + "/package.json"), packageLock ? lib.importJSON (npmRoot + "/package-lock.json"), fetcherOpts ? { }, packageSourceOverrides ? { }, ... }:
      let
        # Of a lock file of version 1, packages are in each other.
        nested = set: lib.concatLists (lib.mapAttrsToList
          (name: one: [ (one // { at = "node_modules/${name}"; }) ] ++ nested (one.dependencies or { }))
          set);
        entries =
          if packageLock ? packages then lib.mapAttrsToList (at: one: one // { inherit at; }) packageLock.packages
          else nested (packageLock.dependencies or { });
        remote = builtins.filter (one: !(one.link or false) && lib.hasPrefix "http" (one.resolved or "")) entries;
        files = lib.listToAttrs (map
          (one: lib.nameValuePair one.resolved (packageSourceOverrides.${one.at} or (pkgs.fetchurl
            ({ url = one.resolved; hash = one.integrity; } // fetcherOpts.${one.at} or { }))))
          remote);
        asFile = name: value: pkgs.writeText name (builtins.toJSON value);
      in
      pkgs.runCommandLocal "${args.pname or package.name or "npm"}-${args.version or package.version or "0"}-npm-deps"
        {
          nativeBuildInputs = [ slim ];
          files = builtins.toJSON (lib.mapAttrs (_: file: "${file}") files);
          passAsFile = [ "files" ];
          lock = asFile "package-lock.json" packageLock;
          package = asFile "package.json" package;
        } ''
        node ${cacheScript} gather $lock $filesPath $out
        cp $package $out/package.json
      '')
    { npmRoot = true; package = true; packageLock = true; };

  hookOf = nodejs: pkgs.makeSetupHook
    {
      name = "npm-hooks";
      propagatedBuildInputs = [ (nodejs.slim or nodejs) nodejs pkgs.makeWrapper ];
      substitutions.node = "${nodejs.slim or nodejs}/bin/node";
      substitutions.installer = "${./node/install.js}";
    } ./node/hooks.sh;

  buildNpmPackage = lib.makeOverridable ({ stdenv, nodejs }: lib.extendMkDerivation {
    constructDrv = stdenv.mkDerivation;
    excludeDrvArgNames = [ "forceEmptyCache" "forceGitDeps" "nodejs" "npmConfigHook" "npmBuildHook" "npmInstallHook" ];
    extendDrvArgs = final:
      { name ? "${args.pname}-${args.version}"
      , nativeBuildInputs ? [ ]
      , npmDepsHash ? ""
      , passthru ? { }
      , meta ? { }
      , ...
      }@args:
      let
        node = args.nodejs or nodejs;
        fetched = fetchNpmDeps ({
          name = "${name}-npm-deps";
          hash = final.npmDepsHash;
          forceEmptyCache = args.forceEmptyCache or false;
          forceGitDeps = args.forceGitDeps or false;
        } // builtins.intersectAttrs
          (lib.genAttrs [ "src" "srcs" "sourceRoot" "prePatch" "patches" "postPatch" "patchFlags" "preUnpack" "postUnpack" ] (_: null))
          final);
      in
      {
        inherit npmDepsHash;
        npmDeps = args.npmDeps or (if final.npmDepsHash == "" || final.npmDepsHash == null then null else fetched);
        nativeBuildInputs = nativeBuildInputs ++ [ (hookOf node) ];
        strictDeps = args.strictDeps or true;
        passthru = passthru // { nodejs = node; inherit (final) npmDeps; };
        meta = { platforms = lib.platforms.linux; } // meta;
      };
  }) { inherit (pkgs) stdenv; inherit nodejs; };
in
{
  inherit nodejs nodePackages fetchNpmDeps buildNpmPackage;
  nodejs-slim = slim;
  nodePackages_latest = nodePackages;
  yarn = let unit = debian.package "yarnpkg"; in unit // { meta = unit.meta // { mainProgram = "yarn"; }; };
  npmHooks = {
    npmConfigHook = hookOf nodejs;
    npmBuildHook = hookOf nodejs;
    npmInstallHook = hookOf nodejs;
  };
  importNpmLock = {
    __functor = _self: importNpmLock;
    npmConfigHook = hookOf nodejs;
    linkNodeModulesHook = throw "importNpmLock.linkNodeModulesHook is not in the offline package set; link node_modules of importNpmLock.buildNodeModules";
    # node_modules of a project, without the project.
    buildNodeModules = { npmRoot ? null, package ? lib.importJSON (npmRoot + "/package.json"), packageLock ? lib.importJSON (npmRoot + "/package-lock.json"), nodejs ? pkgs.nodejs, derivationArgs ? { } }:
      pkgs.stdenv.mkDerivation ({
        pname = derivationArgs.pname or "${package.name or "npm"}-node-modules";
        version = derivationArgs.version or package.version or "0";
        dontUnpack = true;
        dontNpmBuild = true;
        npmDeps = importNpmLock { inherit npmRoot package packageLock; };
        prePatch = "cp --no-preserve=mode $npmDeps/package.json $npmDeps/package-lock.json .";
        installPhase = ''
          runHook preInstall
          mkdir $out
          cp package.json package-lock.json $out
          [ ! -d node_modules ] || mv node_modules $out
          runHook postInstall
        '';
      } // derivationArgs // {
        nativeBuildInputs = [ (hookOf nodejs) ] ++ derivationArgs.nativeBuildInputs or [ ];
      });
  };
}
