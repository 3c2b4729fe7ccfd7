# The offline package set: what <nixpkgs> is where a machine has none. Debian's packages, as store paths,
# under the names and with the functions of nixpkgs.
#
# It is made of stages, each a function `final: prev: { }` as an overlay is: `final` is the finished set,
# `prev` what the stages before have. The user's overlays come last.
{ system ? null
, localSystem ? if system != null then system else builtins.currentSystem
, crossSystem ? null
, overlays ? [ ]
, config ? { }
, ...
}@args:

let
  lib = import ./lib;
  buildPlatform = lib.systems.elaborate localSystem;
  hostPlatform = if crossSystem == null then buildPlatform else lib.systems.elaborate crossSystem;

  have = (builtins.fromJSON (builtins.readFile ./nixdock.json)).architectures;
  arch = hostPlatform.debianArch;

  debian =
    if !(builtins.elem arch have) then
      throw ("the offline package set of this machine has Debian's packages for ${lib.concatStringsSep ", " have} "
        + "only, not for ${hostPlatform.system}; use the real nixpkgs for this (--nixpkgs PATH)")
    else
      import ./debian {
        inherit (buildPlatform) system;
        lock = ./lock + "/${arch}";
        bootstrap = ./bootstrap + "/${buildPlatform.debianArch}";
      };

  stages = [
    (import ./packages.nix { inherit lib debian; })
  ] ++ overlays;

  base = _final: {
    inherit lib config overlays;
    inherit (hostPlatform) system;
    debian = debian.packages;
  };
in
lib.fix (builtins.foldl' (lib.flip lib.extends) base stages)
