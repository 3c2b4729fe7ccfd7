{ pkgs ? import <nixpkgs> { } }:

let
  configuration = pkgs.writeText "supervisord.conf" (pkgs.lib.generators.toINI { } {
    supervisord = { nodaemon = true; logfile = "/dev/null"; logfile_maxbytes = 0; user = "root"; pidfile = "/tmp/supervisord.pid"; };
    "program:cache" = { command = "${pkgs.redis}/bin/redis-server --save ''"; stdout_logfile = "/dev/fd/1"; stdout_logfile_maxbytes = 0; };
    "program:web" = { command = "${pkgs.busybox}/bin/httpd -f -p 8088 -h ${./web}"; };
  });
in
pkgs.dockerTools.buildLayeredImage {
  name = "two-programs";
  contents = [ pkgs.dockerTools.fakeNss ];
  extraCommands = "mkdir -m 1777 tmp";
  config = {
    Cmd = [ "${pkgs.python3Packages.supervisor}/bin/supervisord" "-c" configuration ];
    ExposedPorts = { "6379/tcp" = { }; "8088/tcp" = { }; };
  };
}
