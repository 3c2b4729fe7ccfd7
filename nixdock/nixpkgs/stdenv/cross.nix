# The stage of other machines: the same set for another processor or C library, built on this one.
#
#   importWith   the whole set again, with other arguments
#   isCross      whether this set is for another machine than it is built on
{ lib, importWith, isCross }:

final: prev:

let
  forPlatform = platform: importWith { crossSystem = platform; };
  musl = { config = "${final.stdenv.buildPlatform.parsed.cpu.name}-unknown-linux-musl"; };
in
{
  # What runs while something is built. Without a cross system it is the set itself.
  buildPackages = if isCross then importWith { crossSystem = null; } else final;

  # Names as lib.systems.examples has them, such as pkgsCross.aarch64-multiplatform.
  pkgsCross = builtins.mapAttrs (_: forPlatform) lib.systems.examples;

  # Programs without any library: musl instead of the GNU C library.
  pkgsStatic = forPlatform (musl // { isStatic = true; });
  pkgsMusl = forPlatform musl;

  # The same set with more overlays.
  extend = overlay: importWith { overlays = final.overlays ++ [ overlay ]; };
  appendOverlays = overlays: importWith { overlays = final.overlays ++ overlays; };
}
