# The stage of other names of packages that are there, and of names with a version in them. They mean what the set
# itself has by these names: an overlay may say `nodejs = prev.nodejs_18`.
{ lib, debian }:

_final: prev:

let
  inherit (import ./versions.nix { inherit lib debian; }) named;

  python = {
    label = "Python";
    attribute = "python3";
    package = prev.python3;
    prefix = "python";
    separator = "";
    versions = [ "3.7" "3.8" "3.9" "3.10" "3.11" "3.12" "3.13" "3.14" "3.15" ];
  };

  go = {
    label = "Go";
    attribute = "go";
    package = prev.go;
    versions = map (minor: "1.${toString minor}") (lib.range 14 29);
  };

  php = {
    label = "PHP";
    package = prev.php;
    prefix = "php";
    separator = "";
    versions = [ "7.4" "8.0" "8.1" "8.2" "8.3" "8.4" "8.5" ];
  };

  postgresql = {
    label = "PostgreSQL";
    attribute = "postgresql";
    package = prev.postgresql;
    versions = [ "9.6" "10" "11" "12" "13" "14" "15" "16" "17" "18" ];
  };
in
{
  aria = prev.aria2;
  awscli2 = prev.awscli;
  bashInteractive = prev.bash;
  bashInteractiveFHS = prev.bash;
  bashNonInteractive = prev.bash;
  busybox-sandbox-shell = prev.busybox;
  coreutils-full = prev.coreutils;
  coreutils-prefixed = throw "coreutils-prefixed: Debian's programs have no prefix; use pkgs.coreutils";
  curlFull = prev.curl;
  curlMinimal = prev.curl;
  dig = prev.bind;
  dnsutils = prev.bind;
  emacs-nox = prev.emacs;
  ffmpeg-full = prev.ffmpeg;
  ffmpeg-headless = prev.ffmpeg;
  gitFull = prev.git;
  gitMinimal = prev.git;
  glibcLocalesUtf8 = prev.glibcLocales;
  iproute = prev.iproute2;
  linux-pam = prev.pam;
  lzma = prev.xz;
  man = prev.man-db;
  mariadb-client = prev.mariadb;
  mysql = prev.mariadb;
  mysql-client = prev.mariadb;
  net-tools = prev.nettools;
  netcat-gnu = prev.netcat;
  netcat-openbsd = prev.netcat;
  nginxMainline = prev.nginx;
  nginxStable = prev.nginx;
  noto-fonts-cjk = prev.noto-fonts-cjk-sans;
  opencv4 = prev.opencv;
  pkgconfig = prev.pkg-config;
  procps-ng = prev.procps;
  python3Full = prev.python3;
  python3Minimal = prev.python3;
  su = prev.shadow;
  util-linuxMinimal = prev.util-linux;
  utillinux = prev.util-linux;
  vim-full = prev.vim;
  vimHugeX = prev.vim;
  vim_configurable = prev.vim;

  nixVersions = { stable = prev.nix; latest = prev.nix; git = prev.nix; unstable = prev.nix; } // named {
    label = "Nix";
    attribute = "nix";
    package = prev.nix;
    prefix = "nix_";
    versions = map (minor: "2.${toString minor}") (lib.range 3 33);
  };
  nixStable = prev.nix;
  nixUnstable = prev.nix;
  nixFlakes = prev.nix;
}
// named {
  label = "bash";
  attribute = "bash";
  package = prev.bash;
  versions = [ "4" "5" ];
}
// named {
  label = "OpenSSL";
  attribute = "openssl";
  package = prev.openssl;
  versions = [ "1.0.2" "1.1" "3" "3.0" "3.1" "3.2" "3.3" "3.4" "3.5" "3.6" ];
}
// named go
// named (go // { attribute = "buildGoModule"; prefix = "buildGo"; separator = ""; suffix = "Module"; value = prev.buildGoModule; })
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = prev.nodejs;
  versions = map toString (lib.range 10 25);
}
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = prev.nodejs;
  prefix = "nodejs-";
  suffix = "_x";
  versions = map toString (lib.range 10 25);
}
// named {
  label = "Node.js";
  attribute = "nodejs";
  package = prev.nodejs;
  prefix = "nodejs-slim_";
  value = prev.nodejs-slim;
  versions = map toString (lib.range 10 25);
}
// named python
// named (python // { suffix = "Full"; })
// named (python // { attribute = "python3Packages"; suffix = "Packages"; value = prev.python3Packages; })
// named (php // { attribute = "php"; })
// named (php // { attribute = "phpPackages"; suffix = "Packages"; value = prev.phpPackages; })
// named (php // { attribute = "phpExtensions"; suffix = "Extensions"; value = prev.phpExtensions; })
// named postgresql
// named (postgresql // {
  attribute = "postgresqlPackages";
  prefix = "postgresql";
  suffix = "Packages";
  value = prev.postgresqlPackages;
})
// named {
  label = "redis";
  attribute = "redis";
  package = prev.redis;
  versions = [ "6" "7" "8" ];
}
// named {
  label = "Ruby";
  attribute = "ruby";
  package = prev.ruby;
  versions = [ "2.7" "3.0" "3.1" "3.2" "3.3" "3.4" "3.5" "4.0" ];
}
// named {
  label = "GCC";
  attribute = "gcc";
  package = prev.gcc;
  prefix = "gcc";
  versions = map toString (lib.range 7 15);
}
