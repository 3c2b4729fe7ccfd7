{ pkgs ? import <nixpkgs> { } }:

let
  nginxPort = "8080";
  nginxConf = pkgs.writeText "nginx.conf" ''
    user nobody nobody;
    daemon off;
    error_log /dev/stdout info;
    pid /dev/null;
    events { }
    http {
      include ${pkgs.nginx}/conf/mime.types;
      access_log /dev/stdout;
      server {
        listen ${nginxPort};
        index index.html;
        location / {
          root ${./site};
        }
      }
    }
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "static-site";
  tag = "latest";
  contents = [ pkgs.fakeNss pkgs.nginx ];

  extraCommands = ''
    mkdir -p tmp/nginx_client_body
    # nginx still tries to write its log here before it has read the configuration.
    mkdir -p var/log/nginx
  '';

  config = {
    Cmd = [ "nginx" "-c" nginxConf ];
    ExposedPorts."${nginxPort}/tcp" = { };
  };
}
