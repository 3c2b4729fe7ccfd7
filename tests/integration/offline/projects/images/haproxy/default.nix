{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "haproxy";
  tag = "latest";
  config = {
    Entrypoint = [ "${pkgs.tini}/bin/tini" "--" ];
    Cmd = [ "${pkgs.haproxy}/bin/haproxy" "-f" "${./haproxy.cfg}" ];
    ExposedPorts."8081/tcp" = { };
  };
}
