{ pkgs ? import <nixpkgs> { } }:

let
  manifest = (pkgs.lib.importTOML ./Cargo.toml).package;
  echoer = pkgs.rustPlatform.buildRustPackage {
    pname = manifest.name;
    inherit (manifest) version;
    src = pkgs.lib.cleanSource ./.;
    cargoLock.lockFile = ./Cargo.lock;
    doCheck = false;
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = manifest.name;
  tag = manifest.version;
  config = {
    Entrypoint = [ "${echoer}/bin/${manifest.name}" ];
    ExposedPorts."7000/tcp" = { };
  };
}
