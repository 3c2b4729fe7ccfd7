{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";
    flake-parts.url = "github:hercules-ci/flake-parts";
    systems.url = "github:nix-systems/default-linux";
  };

  outputs = inputs@{ flake-parts, ... }:
    flake-parts.lib.mkFlake { inherit inputs; } {
      systems = import inputs.systems;

      perSystem = { self', pkgs, lib, ... }: {
        packages = {
          hello = pkgs.hello.overrideAttrs (old: { meta = old.meta // { description = "Says hello"; }; });
          default = pkgs.dockerTools.streamLayeredImage {
            name = "hello";
            contents = [ self'.packages.hello ];
            config = {
              Cmd = [ "hello" ];
              Labels."org.opencontainers.image.description" = self'.packages.hello.meta.description;
            };
          };
        };
        devShells.default = pkgs.mkShell { inputsFrom = [ self'.packages.hello ]; };
      };
    };
}
