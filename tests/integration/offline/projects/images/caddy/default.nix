{ pkgs ? import <nixpkgs> { } }:

pkgs.dockerTools.streamLayeredImage {
  name = "caddy";
  created = "now";
  contents = with pkgs; [ cacert tzdata ];
  extraCommands = ''
    mkdir -m 1777 tmp
    mkdir -p config data srv
  '';
  config = {
    Entrypoint = [ (pkgs.lib.getExe pkgs.caddy) ];
    Cmd = [ "run" "--config" ./Caddyfile "--adapter" "caddyfile" ];
    ExposedPorts = { "2015/tcp" = { }; "443/udp" = { }; };
    Env = [ "XDG_CONFIG_HOME=/config" "XDG_DATA_HOME=/data" "HOME=/root" ];
    WorkingDir = "/srv";
  };
}
