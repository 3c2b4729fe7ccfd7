# The offline package set as a flake's input, with the outputs that flakes use of nixpkgs.
{
  description = "Debian's packages as the package set of this machine";

  outputs = { self }:
    let lib = import ./lib; in
    {
      inherit lib;
      # Those of other machines say what is to be done instead.
      legacyPackages = lib.genAttrs lib.systems.flakeExposed (system: import ./. { inherit system; });
    };
}
