# Go, and modules in it built from source: vendored, or with what they need fetched where there is a network.
{ lib, debian, pkgs }:

let
  unit = debian.package "golang-go";
  go = unit // {
    GOOS = "linux";
    GOARCH = if pkgs.stdenv.hostPlatform.isAarch64 then "arm64" else "amd64";
    CGO_ENABLED = 1;
    meta = unit.meta // { mainProgram = "go"; };
  };

  # Go's own library as builds want it: without this each of them would compile it anew.
  libraryOf = go: cgo: pkgs.runCommandWith
    {
      name = "go-library-${go.version}${lib.optionalString (cgo == "1") "-cgo"}";
      stdenv = if cgo == "1" then pkgs.stdenv else pkgs.stdenvNoCC;
      derivationArgs = { nativeBuildInputs = [ go ]; CGO_ENABLED = cgo; };
    } ''
    export HOME=$TMPDIR GOCACHE=$out GOFLAGS=-trimpath
    go build std
    rm -f $out/trim.txt $out/README
  '';

  # The text of a switch: 0, false, "0".
  switch = value: if value == true then "1" else if value == false then "0" else toString value;

  modulesOf = { go, stdenv, final, args, vendorHash, proxyVendor, deleteVendor }:
    (stdenv.mkDerivation ({
      name = "${final.name or "${final.pname}-${final.version}"}-go-modules";
      src = final.src or null;
      srcs = final.srcs or null;
      nativeBuildInputs = [ ./go/modules-hook.sh go pkgs.git ] ++ args.nativeBuildInputs or [ ];
      modRoot = final.modRoot or "./";
      inherit proxyVendor deleteVendor;
      GO111MODULE = "on";
      GOTOOLCHAIN = "local";
      SSL_CERT_FILE = import ./certificates.nix { inherit pkgs; };
      dontFixup = true;
      impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "GIT_PROXY_COMMAND" "SOCKS_SERVER" "GOPROXY" "GONOSUMDB" "GOFLAGS" ];
      outputHashMode = "recursive";
      outputHash = vendorHash;
    }
    # What was called vendorSha256 needs not say of which kind it is.
    // lib.optionalAttrs (builtins.match "[^:-]*" vendorHash != null) { outputHashAlgo = "sha256"; }
    // builtins.intersectAttrs
      (lib.genAttrs [ "sourceRoot" "setSourceRoot" "prePatch" "patches" "patchFlags" "postPatch" "preBuild" "postBuild" "modBuildPhase" "modConfigurePhase" "modInstallPhase" "goSum" ] (_: null))
      args
    )).overrideAttrs (args.overrideModAttrs or { });

  builder = { go, stdenv }: lib.extendMkDerivation {
    constructDrv = stdenv.mkDerivation;
    excludeDrvArgNames = [ "overrideModAttrs" "vendorSha256" "CGO_ENABLED" ];
    extendDrvArgs = final:
      { nativeBuildInputs ? [ ]
      , vendorHash ? args.vendorSha256 or (throw "buildGoModule of ${args.pname or args.name or "a module"}: `vendorHash` is missing; it is null where the source has its vendor folder")
      , proxyVendor ? false
      , deleteVendor ? false
      , allowGoReference ? false
      , GOFLAGS ? [ ]
      , doCheck ? true
      , env ? { }
      , meta ? { }
      , passthru ? { }
      , ...
      }@args:
      let
        cgo = switch (args.CGO_ENABLED or env.CGO_ENABLED or go.CGO_ENABLED);
        hash = final.vendorHash;
        goModules = if hash == null then null else modulesOf {
          inherit go stdenv final args proxyVendor deleteVendor;
          vendorHash = hash;
        };
      in
      {
        inherit vendorHash proxyVendor doCheck goModules;
        nativeBuildInputs = [ ./go/build-hook.sh go ] ++ nativeBuildInputs;
        goLibrary = libraryOf go cgo;
        goLoader = lib.optionalString (cgo == "1") "${stdenv.cc.libc}/lib/ld-linux-*.so.*";
        modRoot = args.modRoot or "./";
        GOFLAGS = GOFLAGS ++ lib.optional (!proxyVendor) "-mod=vendor" ++ lib.optional (!allowGoReference) "-trimpath";
        env = env // {
          GOOS = env.GOOS or go.GOOS;
          GOARCH = env.GOARCH or go.GOARCH;
          GO111MODULE = env.GO111MODULE or "on";
          GOTOOLCHAIN = "local";
          CGO_ENABLED = cgo;
        };
        strictDeps = args.strictDeps or true;
        disallowedReferences = args.disallowedReferences or [ ] ++ lib.optional (!allowGoReference) go;
        passthru = passthru // { inherit go goModules; };
        meta = { platforms = lib.platforms.linux; } // meta;
      };
  };
in
{
  inherit go;
  buildGoModule = lib.makeOverridable builder { inherit go; inherit (pkgs) stdenv; };
  buildGoPackage = throw ("buildGoPackage builds without Go's modules, which nixpkgs no longer has either; "
    + "use buildGoModule, which wants a go.mod");}
