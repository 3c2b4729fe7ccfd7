{ pkgs ? import <nixpkgs> { } }:

let
  inherit (pkgs) lib;
  tools = with pkgs; [ coreutils gnutar zstd gnupg findutils ];
  backup = pkgs.writeScriptBin "backup" ''
    #!${pkgs.runtimeShell}
    set -euo pipefail
    export PATH=${lib.makeBinPath tools}
    mkdir -p /tmp/in && echo content > /tmp/in/file
    tar -C /tmp/in -cf - . | zstd -q > /tmp/backup.tar.zst
    export GNUPGHOME=/tmp/gnupg
    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --passphrase secret --pinentry-mode loopback -c /tmp/backup.tar.zst
    gpg --batch --quiet --passphrase secret --pinentry-mode loopback -d /tmp/backup.tar.zst.gpg | zstd -dq | tar -tf - | sort
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "backup";
  contents = [ backup ];
  extraCommands = "mkdir -m 1777 tmp";
  config.Cmd = "${backup}/bin/backup";
}
