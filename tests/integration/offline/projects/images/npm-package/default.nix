{ pkgs ? import <nixpkgs> { } }:

let
  shout = pkgs.buildNpmPackage {
    pname = "shout";
    version = "1.0.0";
    src = ./.;
    npmDepsHash = null;
    npmDeps = pkgs.importNpmLock { npmRoot = ./.; };
    npmConfigHook = pkgs.importNpmLock.npmConfigHook;
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "shout";
  config.Entrypoint = [ "${shout}/bin/shout" ];
}
