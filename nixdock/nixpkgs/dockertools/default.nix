# The stage of dockerTools: images of what the set has, without docker and without a virtual machine.
{ lib, builder }:

final: prev:

let
  pkgs = final;
  check = import ./check.nix { inherit lib; };

  runPython = import ../build-support/python-builder.nix {
    inherit lib builder;
    inherit (pkgs.buildPlatform) system;
  };
  source = import ../build-support/python-source.nix { inherit lib; } ./.;
  # A derivation that runs a module of this folder.
  run = args: runPython ({ inherit source; } // args);

  # Where a user's commands run; only images that have such need it. Those that are run as a fake root are
  # run by a builder that fakeroot starts.
  shell = {
    bash = pkgs.stdenvNoCC.shell;
    stdenv = "${pkgs.stdenvNoCC}";
    path = map toString pkgs.stdenvNoCC.initialPath;
  };
  underFakeroot = [ "${builder.bootstrap}/bin/busybox" "sh" ./under-fakeroot.sh "${pkgs.buildPackages.fakeroot}" ];

  compressors = {
    none = { ext = ""; packages = [ ]; command = "cat"; };
    # One thread alone gives other bytes than several do, so there are always several.
    gz = { ext = ".gz"; packages = [ pkgs.buildPackages.pigz ]; command = "pigz -nTR -p$((NIX_BUILD_CORES > 2 ? NIX_BUILD_CORES : 2))"; };
    zstd = { ext = ".zst"; packages = [ pkgs.buildPackages.zstd ]; command = "zstd -q -T$((NIX_BUILD_CORES > 2 ? NIX_BUILD_CORES : 2))"; };
  };

  # What tells one output from another, as text.
  hashOf = drv: builtins.head (lib.splitString "-" (baseNameOf (builtins.unsafeDiscardStringContext drv.outPath)));

  parts = { inherit lib pkgs builder source run shell underFakeroot check compressors hashOf; };
  part = file: more:
    let f = import file;
    in f (builtins.intersectAttrs (builtins.functionArgs f) (parts // more));
in
{
  dockerTools = lib.makeExtensible (self: {
    buildImage = part ./build-image.nix { };
    streamLayeredImage = part ./stream-layered-image.nix { };
    buildLayeredImage = part ./build-layered-image.nix { stream = self.streamLayeredImage; };
  });
}
