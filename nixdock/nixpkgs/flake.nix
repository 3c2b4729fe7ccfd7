# The offline package set as a flake's input, with the outputs that flakes use of nixpkgs.
{
  description = "Debian's packages as the package set of this machine";

  outputs = { self }:
    let
      lib = import ./lib;
      known = (builtins.fromJSON (builtins.readFile ./nixdock.json)).architectures;
      systems = builtins.filter
        (system: builtins.elem (lib.systems.elaborate system).debianArch known)
        lib.systems.flakeExposed;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems (system: import ./. { inherit system; });
    };
}
