# The stage of Debian's packages under their nixpkgs names. Everything else that Debian has is in `debian`, by its
# Debian name: pkgs.debian.cowsay.
#
#   programs   what people run, where Debian has the same name for it
#   renamed    what people run, where Debian has another name
#   tools      what builds are made with, and hooks for their phases
#   postgresql and what extends it
#   libraries  what people build with
#   unixtools  single programs of the packages that have many
#   absent     what Debian lacks, and what to do instead
#   versions   what names with a version in them mean
#   aliases    other names of what is there: a stage of its own, after all others
{ lib, debian }:

final: prev:

let
  call = file: import file { inherit lib debian final from versions programs; };

  versions = import ./versions.nix { inherit lib debian; };

  # A Debian package, of several names the first that this Debian has, and the name of its main program.
  from = names: program:
    let all = lib.toList names; in
    (debian.package (lib.findFirst debian.has (builtins.head all) all)).withFacts
      (facts: { meta = facts.meta // { mainProgram = program; }; });

  # A package says of itself what nixpkgs calls it.
  named = builtins.mapAttrs (pname: package:
    if !(package ? withFacts) then package
    else
      let
        name = "${pname}-${package.version}";
        again = package.withFacts (_: { inherit pname name; });
      in
      package // {
        inherit pname name;
        inherit (again) override overrideAttrs withFacts;
        meta = package.meta // { inherit name; };
      });

  absent = import ./absent.nix;
  real = "it is in the real nixpkgs (--nixpkgs PATH)";
  never = name: instead: throw "${name}: Debian has none: ${instead}; ${real}";
  later = name: { since, package, program ? package, instead }:
    if debian.has package then from package program
    else throw "${name}: Debian has it since ${toString since}, and this is ${versions.release}: ${instead}; ${real}";

  programs = named (lib.mapAttrs later absent.later // call ./programs.nix // call ./renamed.nix
    // call ./postgresql.nix // call ./tools.nix);
in
lib.mapAttrs never absent.never // programs // call ./libraries.nix // call ./unixtools.nix
