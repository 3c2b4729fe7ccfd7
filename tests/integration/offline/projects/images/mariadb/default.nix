{ pkgs ? import <nixpkgs> { } }:

let
  inherit (pkgs) mariadb;
  start = pkgs.writeShellScript "start" ''
    set -e
    ${mariadb}/bin/mysql_install_db --datadir=/data --auth-root-authentication-method=normal --user=root >/dev/null
    exec ${mariadb}/bin/mysqld --user=root --datadir=/data --socket=/tmp/mysql.sock --bind-address=0.0.0.0
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "mariadb";
  contents = with pkgs; [ fakeNss bash coreutils gnused gnugrep gawk nettools mariadb.client ];
  extraCommands = "mkdir -p data tmp && chmod 1777 tmp";
  config = {
    Cmd = [ start ];
    ExposedPorts."3306/tcp" = { };
  };
}
