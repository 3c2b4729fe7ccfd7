{ pkgs ? import <nixpkgs> { } }:

let
  entrypoint = pkgs.writeScript "entrypoint.sh" ''
    #!${pkgs.stdenv.shell}
    set -e
    export PATH=$PATH:${pkgs.gosu}/bin
    if [ "$1" = redis-server ] && [ "$(${pkgs.coreutils}/bin/id -u)" = 0 ]; then
      chown -R redis:redis .
      exec gosu redis "$@"
    fi
    exec "$@"
  '';
in
pkgs.dockerTools.buildImage {
  name = "redis";
  tag = "latest";

  copyToRoot = pkgs.buildEnv {
    name = "image-root";
    paths = [ pkgs.redis pkgs.coreutils pkgs.bashInteractive ];
    pathsToLink = [ "/bin" ];
  };

  runAsRoot = ''
    #!${pkgs.runtimeShell}
    ${pkgs.dockerTools.shadowSetup}
    groupadd -r redis
    useradd -r -g redis -d /data -M redis
    mkdir /data
    chown redis:redis /data
  '';

  config = {
    Entrypoint = [ entrypoint ];
    Cmd = [ "redis-server" ];
    Env = [ "PATH=/bin" ];
    ExposedPorts."6379/tcp" = { };
    WorkingDir = "/data";
    Volumes."/data" = { };
  };
}
