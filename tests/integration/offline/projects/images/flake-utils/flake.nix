{
  description = "A greeter";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    flake-utils.url = "github:numtide/flake-utils";
  };

  outputs = { self, nixpkgs, flake-utils }:
    flake-utils.lib.eachDefaultSystem (system:
      let
        pkgs = import nixpkgs { inherit system; };
        greeter = pkgs.writeShellApplication {
          name = "greeter";
          runtimeInputs = with pkgs; [ coreutils figlet ];
          text = ''
            figlet -w 200 "''${1:-flakes}" | head -n 1
            echo "''${1:-flakes}"
          '';
        };
      in
      {
        packages = {
          default = greeter;
          docker = pkgs.dockerTools.buildLayeredImage {
            name = "greeter";
            tag = self.shortRev or "dirty";
            config.Entrypoint = [ "${greeter}/bin/greeter" ];
          };
        };
        apps.default = flake-utils.lib.mkApp { drv = greeter; };
        devShells.default = pkgs.mkShell { packages = [ greeter ]; };
      });
}
