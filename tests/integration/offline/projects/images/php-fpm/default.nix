{ pkgs ? import <nixpkgs> { } }:

let
  php = pkgs.php.withExtensions ({ enabled, all }: enabled ++ [ all.mbstring ]);

  root = pkgs.runCommand "web-root" { } ''
    mkdir -p $out/srv
    cp ${./index.php} $out/srv/index.php
  '';

  fpmConf = pkgs.writeText "php-fpm.conf" ''
    [global]
    error_log = /dev/stderr
    [www]
    user = nobody
    group = nobody
    listen = 127.0.0.1:9000
    pm = static
    pm.max_children = 2
  '';

  nginxConf = pkgs.writeText "nginx.conf" ''
    user nobody nobody;
    error_log /dev/stderr;
    pid /tmp/nginx.pid;
    events { }
    http {
      access_log off;
      server {
        listen 80;
        root ${root}/srv;
        location / {
          include ${pkgs.nginx}/conf/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME ${root}/srv/index.php;
          fastcgi_pass 127.0.0.1:9000;
        }
      }
    }
  '';

  start = pkgs.writeShellScriptBin "start" ''
    ${php}/bin/php-fpm -F -y ${fpmConf} &
    exec ${pkgs.nginx}/bin/nginx -c ${nginxConf} -g 'daemon off;'
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "php-web";
  contents = [ pkgs.dockerTools.fakeNss ];
  extraCommands = "mkdir -p tmp var/log/nginx";
  config = {
    Cmd = [ "${start}/bin/start" ];
    ExposedPorts."80/tcp" = { };
  };
}
