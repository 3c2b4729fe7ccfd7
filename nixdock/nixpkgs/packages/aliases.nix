# Other names of packages that are there, and names with a version in them.
{ lib, final, versions, ... }:

let
  inherit (versions) named;

  python = {
    label = "Python";
    attribute = "python3";
    package = final.python3;
    prefix = "python";
    separator = "";
    versions = [ "3.7" "3.8" "3.9" "3.10" "3.11" "3.12" "3.13" "3.14" "3.15" ];
  };

  go = {
    label = "Go";
    attribute = "go";
    package = final.go;
    versions = map (minor: "1.${toString minor}") (lib.range 14 29);
  };

  postgresql = {
    label = "PostgreSQL";
    attribute = "postgresql";
    package = final.postgresql;
    versions = [ "9.6" "10" "11" "12" "13" "14" "15" "16" "17" "18" ];
  };
in
{
  aria = final.aria2;
  awscli2 = final.awscli;
  bashInteractive = final.bash;
  bashInteractiveFHS = final.bash;
  bashNonInteractive = final.bash;
  busybox-sandbox-shell = final.busybox;
  coreutils-full = final.coreutils;
  coreutils-prefixed = throw "coreutils-prefixed: Debian's programs have no prefix; use pkgs.coreutils";
  curlFull = final.curl;
  curlMinimal = final.curl;
  dig = final.bind;
  dnsutils = final.bind;
  emacs-nox = final.emacs;
  ffmpeg-full = final.ffmpeg;
  ffmpeg-headless = final.ffmpeg;
  gitFull = final.git;
  gitMinimal = final.git;
  glibcLocalesUtf8 = final.glibcLocales;
  iproute = final.iproute2;
  linux-pam = final.pam;
  lzma = final.xz;
  man = final.man-db;
  mariadb-client = final.mariadb;
  mysql = final.mariadb;
  mysql-client = final.mariadb;
  net-tools = final.nettools;
  netcat-openbsd = final.netcat;
  nginxMainline = final.nginx;
  nginxStable = final.nginx;
  noto-fonts-cjk = final.noto-fonts-cjk-sans;
  opencv4 = final.opencv;
  pkgconfig = final.pkg-config;
  procps-ng = final.procps;
  python3Full = final.python3;
  python3Minimal = final.python3;
  util-linuxMinimal = final.util-linux;
  utillinux = final.util-linux;
  vim-full = final.vim;
  vimHugeX = final.vim;
  vim_configurable = final.vim;

  nixVersions = { stable = final.nix; latest = final.nix; git = final.nix; unstable = final.nix; } // named {
    label = "Nix";
    attribute = "nix";
    package = final.nix;
    prefix = "nix_";
    versions = map (minor: "2.${toString minor}") (lib.range 3 33);
  };
  nixStable = final.nix;
  nixUnstable = final.nix;
  nixFlakes = final.nix;
}
// named {
  label = "bash";
  attribute = "bash";
  package = final.bash;
  versions = [ "4" "5" ];
}
// named {
  label = "OpenSSL";
  attribute = "openssl";
  package = final.openssl;
  versions = [ "1.0.2" "1.1" "3" "3.0" "3.1" "3.2" "3.3" "3.4" "3.5" "3.6" ];
}
// named go
// named (go // { attribute = "buildGoModule"; prefix = "buildGo"; separator = ""; suffix = "Module"; value = final.buildGoModule; })
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = final.nodejs;
  versions = map toString (lib.range 10 25);
}
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = final.nodejs;
  prefix = "nodejs-";
  suffix = "_x";
  versions = map toString (lib.range 10 25);
}
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = final.nodejs;
  prefix = "nodejs-slim_";
  value = final.nodejs-slim;
  versions = map toString (lib.range 10 25);
}
// named python
// named (python // { suffix = "Full"; })
// named (python // { attribute = "python3Packages"; suffix = "Packages"; value = final.python3Packages; })
// named postgresql
// named (postgresql // {
  attribute = "postgresqlPackages";
  prefix = "postgresql";
  suffix = "Packages";
  value = final.postgresqlPackages;
})
// named {
  label = "redis";
  attribute = "redis";
  package = final.redis;
  versions = [ "6" "7" "8" ];
}
// named {
  label = "GCC";
  attribute = "gcc";
  package = final.gcc;
  prefix = "gcc";
  versions = map toString (lib.range 7 15);
}
