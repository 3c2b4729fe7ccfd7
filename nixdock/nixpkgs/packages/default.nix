# The stage of Debian's packages under their nixpkgs names. Everything else that Debian has is in `debian`, by its
# Debian name: pkgs.debian.cowsay.
#
#   programs   what people run, where Debian has the same name for it
#   renamed    what people run, where Debian has another name
#   tools      what builds are made with, and hooks for their phases
#   libraries  what people build with
#   aliases    other names of what is there
#   absent     what Debian lacks, and what to do instead
#   versions   what names with a version in them mean
{ lib, debian }:

final: prev:

let
  call = file: import file { inherit lib debian final from versions; };

  versions = import ./versions.nix { inherit lib debian; };

  # A Debian package, of several names the first that this Debian has, and the name of its main program.
  from = names: program:
    let
      all = lib.toList names;
      package = debian.package (lib.findFirst debian.has (builtins.head all) all);
    in
    package // { meta = package.meta // { mainProgram = program; }; };

  absent = import ./absent.nix;
  real = "it is in the real nixpkgs (--nixpkgs PATH)";
  never = name: instead: throw "${name}: Debian has none: ${instead}; ${real}";
  later = name: { since, package, program ? package, instead }:
    if debian.has package then from package program
    else throw "${name}: Debian has it since ${toString since}, and this is ${versions.release}: ${instead}; ${real}";
in
lib.mapAttrs never absent.never // lib.mapAttrs later absent.later
// call ./programs.nix // call ./renamed.nix // call ./tools.nix // call ./libraries.nix // call ./aliases.nix
