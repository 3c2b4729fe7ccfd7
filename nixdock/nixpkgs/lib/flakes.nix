# References to flakes, as far as the Nix that evaluates can read them.
{ lib }:

let
  ofNix = name: builtins.${name} or (throw "lib.flakes.${name} needs Nix 2.19; this is ${builtins.nixVersion}");
in
lib.attrsets.genAttrs [ "parseFlakeRef" "flakeRefToString" ] ofNix
