# What nixpkgs has and this set cannot: each says why, and what takes its place.
{ lib }:

let
  away = name: why: throw "${name}: ${why}; use the real nixpkgs for this (--nixpkgs PATH)";
  each = why: names: lib.genAttrs names (name: away name why);

  nixos = "there are no NixOS modules in the offline package set, whose packages are Debian's (lib.evalModules evaluates modules of your own)";
  machine = "it starts a virtual machine, which the offline package set does not have (dockerTools does without)";
in
each nixos [ "nixos" "nixosTest" "nixosTests" "nixosOptionsDoc" "nixos-rebuild" "portableService" "linuxPackages" "makeModulesClosure" ]
// each machine [ "vmTools" "runInLinuxVM" "makeInitrd" "makeInitrdNG" ]
// each "it is made of packages for 32 bits, of which the offline package set has none" [ "pkgsi686Linux" "pkgsi686" ]
// each "its archives are of another kind than Docker's; the offline package set makes images by dockerTools"
  [ "ociTools" "singularity-tools" "snapTools" "appimageTools" ]
// each "it gives programs the file system of another system; dockerTools.buildImage makes an image with one"
  [ "buildFHSEnv" "buildFHSUserEnv" "buildFHSEnvBubblewrap" "buildFHSEnvChroot" ]
// each "it is made of compilers that Debian has not in the form that nixpkgs needs" [ "pkgsLLVM" "pkgsMuslLLVM" "pkgsExtraHardening" "pkgsLinux" ]
// each "Debian's TeX Live finds its files only below /usr, and makes its formats when it is installed"
  [ "texlive" "texliveBasic" "texliveFull" "texliveInfraOnly" "texliveMedium" "texliveMinimal" "texliveSmall" ]
// each "Debian's R finds its libraries only below /usr" [ "R" "rPackages" "radianWrapper" "rWrapper" "rstudioWrapper" ]
// each "Debian is no macOS" [ "darwin" "pkgsx86_64Darwin" ]
