# Images to learn from; the tests build, load and run every one of them.
#
#   nix-build '<nixpkgs>' -A dockerTools.examples.bash && docker load < result
{ pkgs }:

let
  lib = pkgs.lib;
  examples = lib.fix (self:
    import ./plain.nix { inherit pkgs; examples = self; }
    // import ./layered.nix { inherit pkgs; examples = self; }
    // import ./root.nix { inherit pkgs; examples = self; }
    // import ./combined.nix { inherit pkgs; examples = self; }
    // import ./nix.nix { inherit pkgs; examples = self; }
    // import ./shells.nix { inherit pkgs; });
in
examples
