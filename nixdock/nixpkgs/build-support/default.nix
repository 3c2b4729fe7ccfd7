# The stage of small builders: files, scripts, wrappers, trees of links, and what is known of closures.
{ lib, builder }:

final: prev:

let
  # Built by the static busybox alone, so that a text costs no package.
  writers = import ./write.nix { inherit lib builder; pkgs = final; };
  commands = import ./run-command.nix { inherit lib; pkgs = final; };
  substitutions = import ./substitutions.nix { inherit lib; pkgs = final; };
  trees = import ./trees.nix { inherit lib builder; pkgs = final; };
  closures = import ./closures.nix { inherit lib builder; pkgs = final; };
  wrappers = import ./wrappers.nix { inherit lib; pkgs = final; };
  shells = import ./shells.nix { inherit lib; pkgs = final; };
  fetchers = import ./fetchers { inherit lib; pkgs = final; };
in
writers // commands // substitutions // trees // closures // wrappers // shells // fetchers // {
  testers = import ./testers.nix { inherit lib; pkgs = final; };

  # Functions over the set itself.
  callPackage = lib.callPackageWith final;
  callPackages = lib.callPackagesWith final;
  newScope = extra: lib.callPackageWith (final // extra);
  makeScope = lib.makeScope;
  makeOverridable = lib.makeOverridable;
  pkgs = final;
  path = ../.;

  # Only told apart in name: there is one way to build here.
  srcOnly = args:
    let drv = if lib.isDerivation args then args else final.stdenv.mkDerivation args;
    in drv.overrideAttrs (old: {
      name = "${old.name or "${old.pname}-${old.version}"}-source";
      outputs = [ "out" ];
      phases = [ "unpackPhase" "patchPhase" "installPhase" ];
      installPhase = "cp -r . $out";
    });
}
