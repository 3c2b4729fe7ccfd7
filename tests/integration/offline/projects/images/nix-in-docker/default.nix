{ pkgs ? import <nixpkgs> { } }:

pkgs.dockerTools.buildLayeredImageWithNixDb {
  name = "nix";
  contents = with pkgs; [
    ./root
    coreutils
    bashInteractive
    nix
    cacert
    hello
  ];
  extraCommands = ''
    mkdir -p usr/bin tmp
    ln -s ${pkgs.coreutils}/bin/env usr/bin/env
  '';
  config = {
    Cmd = [ "/bin/bash" "-c" "nix-store --query --requisites ${pkgs.hello} | wc -l; nix-instantiate --eval -E '6 * 7'" ];
    Env = [
      "NIX_PAGER=cat"
      "USER=nobody"
      "PATH=/usr/bin:/bin"
      "HOME=/tmp"
    ];
  };
}
