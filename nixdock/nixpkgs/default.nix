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

  # Which architectures apt was asked for, when the set was made.
  known = (builtins.fromJSON (builtins.readFile ./nixdock.json)).architectures;

  lockOf = platform:
    if builtins.elem platform.debianArch known then
      import ./debian/lock.nix { folder = ./lock + "/${platform.debianArch}"; }
    else
      throw ("this machine's offline package set is of Debian's packages for ${lib.concatStringsSep ", " known}, "
        + "not for ${platform.system}; use the real nixpkgs for this (--nixpkgs PATH)");

  builder = import ./debian/builder.nix {
    inherit (buildPlatform) system;
    bootstrap = ./bootstrap + "/${buildPlatform.debianArch}";
    lock = lockOf buildPlatform;
  };

  debian = import ./debian {
    inherit lib builder;
    lock = lockOf hostPlatform;
  };

  # The same set with other arguments.
  importWith = changes: import ./. (args // changes);

  stages = [
    (import ./packages.nix { inherit lib debian; })
  ]
  ++ lib.optional hostPlatform.isMusl (import ./stdenv/musl.nix { inherit lib; lock = lockOf hostPlatform; })
  ++ [
    (import ./stdenv { inherit lib debian builder buildPlatform hostPlatform; })
    (import ./stdenv/cross.nix { inherit lib importWith; isCross = crossSystem != null; })
    (import ./build-support { inherit lib builder; })
    (import ./dockertools { inherit lib builder; lock = lockOf buildPlatform; })
  ] ++ overlays;

  base = _final: {
    inherit lib config overlays;
    inherit (hostPlatform) system;
    debian = debian.packages;
  };
in
lib.fix (builtins.foldl' (lib.flip lib.extends) base stages)
