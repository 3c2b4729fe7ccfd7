let
  pkgs = import <nixpkgs> {
    overlays = [ (import ./nix/overlay.nix) ];
  };
in
pkgs.greetImage
