{ pkgs ? import <nixpkgs> { } }:

let
  sums = pkgs.callPackage
    ({ stdenv, lib, pkg-config, zlib, openssl }:
      stdenv.mkDerivation (finalAttrs: {
        pname = "sums";
        version = "0.3";
        src = lib.fileset.toSource {
          root = ./.;
          fileset = lib.fileset.unions [ ./main.c ./Makefile ];
        };
        nativeBuildInputs = [ pkg-config ];
        buildInputs = [ zlib openssl ];
        makeFlags = [ "PREFIX=$(out)" ];
        enableParallelBuilding = true;
        meta = {
          description = "Sums of version ${finalAttrs.version}";
          license = lib.licenses.mit;
          platforms = lib.platforms.linux;
          mainProgram = "sums";
        };
      }))
    { };
in
pkgs.dockerTools.buildImage {
  name = "sums";
  tag = sums.version;
  copyToRoot = pkgs.buildEnv { name = "root"; paths = [ sums ]; pathsToLink = [ "/bin" ]; };
  config = {
    Cmd = [ "/bin/sums" ];
    Labels = pkgs.lib.filterAttrs (_: value: value != null) {
      "org.opencontainers.image.title" = sums.pname or null;
      "org.opencontainers.image.description" = sums.meta.description or null;
      "org.opencontainers.image.licenses" = sums.meta.license.spdxId or null;
    };
  };
  architecture = sums.stdenv.hostPlatform.go.GOARCH or "amd64";
}
