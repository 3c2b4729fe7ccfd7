let
  pkgs = import <nixpkgs> { };
  user = pkgs.dockerTools.fakeNss.override {
    extraPasswdLines = [ "memcache:x:11211:11211:memcached:/var/empty:/bin/false" ];
    extraGroupLines = [ "memcache:x:11211:" ];
  };
in
pkgs.dockerTools.buildImage {
  name = "memcached";
  copyToRoot = [ user ];
  config = {
    Cmd = [ "${pkgs.memcached}/bin/memcached" "-m" "16" ];
    User = "memcache:memcache";
    ExposedPorts."11211/tcp" = { };
  };
}
