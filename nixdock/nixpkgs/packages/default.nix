# The stage of Debian's packages under their nixpkgs names. Everything else that Debian has is in `debian`, by its
# Debian name: pkgs.debian.cowsay.
#
#   programs   what people run
#   libraries  what people build with
#   aliases    other names of what is there
#   versions   what names with a version in them mean
{ lib, debian }:

final: prev:

let
  call = file: import file { inherit lib debian final from versions; };

  versions = import ./versions.nix { inherit lib debian; };

  # A Debian package, and the name of its main program.
  from = name: program:
    let package = debian.package name;
    in package // { meta = package.meta // { mainProgram = program; }; };
in
call ./programs.nix // call ./libraries.nix // call ./aliases.nix
