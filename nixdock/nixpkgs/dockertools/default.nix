# The stage of dockerTools.
{ lib, builder, lock }:

final: prev:

let
  make = scope:
    import ./tools.nix { inherit lib builder lock; pkgs = scope; } // {
      # With other packages than those of the set: { bashInteractive = busybox; }.
      override = change: make (scope // (if lib.isFunction change then change scope else change));
      overrideDerivation = _: throw "dockerTools is no derivation; an image has overrideAttrs";
    };
in
{
  dockerTools = make final;
  inherit (final.dockerTools) fakeNss;
  nix-prefetch-docker = import ./prefetch.nix { inherit lib; pkgs = final; };
}
