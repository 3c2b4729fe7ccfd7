{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildImage {
  name = "node-exporter";
  tag = pkgs.prometheus-node-exporter.version;
  config = {
    Entrypoint = "${pkgs.prometheus-node-exporter}/bin/node_exporter";
    ExposedPorts = { "9100/tcp" = { }; };
    User = "1000";
  };
}
