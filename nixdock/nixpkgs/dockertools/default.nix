# The stage of dockerTools: images of what the set has, without docker and without a virtual machine.
{ lib, builder }:

final: prev:

let
  pkgs = final;
  check = import ./check.nix { inherit lib; };

  runPython = import ../build-support/python-builder.nix {
    inherit lib builder;
    inherit (pkgs.buildPlatform) system;
  };
  source = import ../build-support/python-source.nix { inherit lib; } ./.;
  # A derivation that runs a module of this folder.
  run = args: runPython ({ inherit source; } // args);

  # Where a user's commands run; only images that have such need it.
  shell = {
    bash = pkgs.stdenvNoCC.shell;
    stdenv = "${pkgs.stdenvNoCC}";
    path = map toString pkgs.stdenvNoCC.initialPath;
  };

  compressors = {
    none = { ext = ""; packages = [ ]; };
    gz = { ext = ".gz"; packages = [ pkgs.buildPackages.pigz ]; };
    zstd = { ext = ".zst"; packages = [ pkgs.buildPackages.zstd ]; };
  };

  parts = { inherit lib pkgs run shell check compressors; };
in
{
  dockerTools = lib.makeExtensible (self: {
    buildImage = import ./build-image.nix parts;
  });
}
