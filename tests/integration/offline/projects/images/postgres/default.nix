{ pkgs ? import <nixpkgs> { } }:

let
  postgresql = pkgs.postgresql;

  start = pkgs.writeShellApplication {
    name = "start";
    runtimeInputs = [ postgresql pkgs.coreutils ];
    text = ''
      export PGDATA=''${PGDATA:-/data}
      if [ ! -s "$PGDATA/PG_VERSION" ]; then
        initdb --auth=trust --username=postgres --encoding=UTF8 --locale=C
        echo "host all all all trust" >> "$PGDATA/pg_hba.conf"
      fi
      exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
    '';
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "postgres";
  tag = postgresql.version;
  contents = [ pkgs.bashInteractive postgresql ];
  fakeRootCommands = ''
    mkdir -p data tmp etc
    chmod 1777 tmp
    chmod 700 data
    echo "postgres:x:70:70:PostgreSQL:/data:/bin/sh" > etc/passwd
    echo "postgres:x:70:" > etc/group
    chown -R 70:70 data
  '';
  config = {
    Entrypoint = [ "${start}/bin/start" ];
    User = "postgres";
    ExposedPorts."5432/tcp" = { };
    Volumes."/data" = { };
  };
}
