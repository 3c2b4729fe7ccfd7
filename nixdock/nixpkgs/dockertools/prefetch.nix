# nix-prefetch-docker: what pullImage must be told of an image of a registry, as an expression or as JSON.
{ lib, pkgs }:

pkgs.writeShellScriptBin "nix-prefetch-docker" ''
  export PATH=${lib.makeBinPath [ pkgs.skopeo pkgs.coreutils ]}:$PATH
  architecture=${pkgs.stdenv.hostPlatform.go.GOARCH}
  source ${./prefetch.sh}
''
