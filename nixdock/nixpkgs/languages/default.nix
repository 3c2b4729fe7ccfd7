# The stage of languages: their programs, their modules, and how projects in them are built from source.
{ lib, debian, builder }:

final: prev:

let
  go = import ./go.nix { inherit lib debian; pkgs = final; };
  node = import ./node.nix { inherit lib debian; pkgs = final; };
  rust = import ./rust.nix { inherit lib debian; pkgs = final; };
  named = lib.mergeAttrsList (map (file: import file { inherit lib debian; pkgs = final; }) [
    ./java.nix
    ./perl.nix
    ./php.nix
  ]);
in
named // {
  inherit (go) go buildGoModule buildGoPackage;
  inherit (node) nodejs nodejs-slim nodePackages buildNpmPackage fetchNpmDeps importNpmLock npmHooks;
  inherit (rust) rustc cargo rustfmt clippy rustPlatform makeRustPlatform rust rustPackages;

  python3 = import ./python.nix { inherit lib debian builder; pkgs = final; };
  python3Packages = final.python3.pkgs;
  python = throw "python is Python 2, which Debian has no more: use pkgs.python3";
  python2 = throw "python2: Debian has no Python 2 any more; use pkgs.python3";
  python27 = final.python2;
  python2Packages = final.python2;
  python27Packages = final.python2;
  pythonPackages = throw "pythonPackages are those of Python 2, which Debian has no more: use pkgs.python3Packages";
  # What overlays add to all Pythons' modules: functions `final: prev: { }`.
  pythonPackagesExtensions = [ ];
}
