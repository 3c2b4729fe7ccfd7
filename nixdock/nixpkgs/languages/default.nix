# The stage of languages: their programs, their modules, and how projects in them are built from source.
{ lib, debian }:

final: prev:

let
  go = import ./go.nix { inherit lib debian; pkgs = final; };
in
{
  inherit (go) go buildGoModule buildGoPackage;

  python3 = import ./python.nix { inherit lib debian; };
  python3Packages = final.python3.pkgs;
}
