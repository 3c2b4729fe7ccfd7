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

  # Which architectures apt was asked for, when the set was made; the machine's own is the first.
  known = (builtins.fromJSON (builtins.readFile ./nixdock.json)).architectures;

  lockIn = architecture: import ./debian/lock.nix { folder = ./lock + "/${architecture}"; };

  # What builds are the machine's own programs.
  buildLock =
    if buildPlatform.debianArch == builtins.head known then lockIn (builtins.head known)
    else throw ("the offline package set builds with this machine's own programs, of Debian for ${builtins.head known}, "
      + "not on ${buildPlatform.system}; ask for images of it by pkgsCross, or use the real nixpkgs (--nixpkgs PATH)");

  lockOf = platform:
    if platform.debianArch == buildPlatform.debianArch then buildLock
    else if ! debianTriplets ? ${platform.debianArch} then
      throw "the offline package set has no packages for ${platform.system}; use the real nixpkgs for this (--nixpkgs PATH)"
    else if builtins.elem platform.debianArch known then lockIn platform.debianArch
    else
      # nixdock knows this sentence: it adds the architecture, and evaluates again.
      throw ("the offline package set has packages for ${lib.concatStringsSep ", " known} so far; "
        + "`nixdock build` of this expression adds those for ${platform.debianArch}");

  # What Debian's compilers for other machines have in their names.
  debianTriplets = { amd64 = "x86-64-linux-gnu"; arm64 = "aarch64-linux-gnu"; };
  isForeign = hostPlatform.debianArch != buildPlatform.debianArch;

  builder = import ./debian/builder.nix {
    inherit (buildPlatform) system;
    bootstrap = ./bootstrap + "/${buildPlatform.debianArch}";
    lock = buildLock;
  };

  debianOf = platform: more: import ./debian ({
    inherit lib builder;
    inherit (pkgs) stdenv;
    lock = lockOf platform;
  } // more);
  debian = debianOf hostPlatform (lib.optionalAttrs isForeign {
    cross = {
      debian = debianOf buildPlatform { };
      triplet = debianTriplets.${hostPlatform.debianArch};
    };
  });

  # The same set with other arguments.
  importWith = changes: import ./. (args // changes);

  stages = [
    (import ./packages { inherit lib debian; })
    (import ./languages { inherit lib debian builder; })
  ]
  ++ lib.optional hostPlatform.isMusl (import ./stdenv/musl.nix { inherit lib; lock = lockOf hostPlatform; })
  ++ [
    (import ./stdenv { inherit lib debian builder buildPlatform hostPlatform; })
    (import ./stdenv/cross.nix { inherit lib importWith; isCross = crossSystem != null; })
    (import ./build-support { inherit lib builder; lock = buildLock; })
    (import ./dockertools { inherit lib builder; lock = buildLock; })
    (import ./packages/aliases.nix { inherit lib debian; })
  ]
  # What a configuration changes, before the overlays do.
  ++ lib.optional (settings ? packageOverrides) (_final: settings.packageOverrides)
  ++ overlays;

  # As nixpkgs has it: its defaults, and a function of the set itself where it is one.
  defaults = {
    allowAliases = true;
    allowBroken = false;
    allowUnfree = false;
    allowUnsupportedSystem = false;
    permittedInsecurePackages = [ ];
  };
  given =
    let read = if builtins.isPath config || builtins.isString config then import config else config;
    in if lib.isFunction read then read { inherit pkgs; } else read;
  settings = defaults // given;

  base = _final: {
    # What `lib.types.pkgs` knows a package set by.
    _type = "pkgs";
    inherit lib overlays;
    config = settings;
    inherit (hostPlatform) system;
    debian = debian.packages;
  };

  pkgs = lib.fix (builtins.foldl' (lib.flip lib.extends) base stages);
in
pkgs
