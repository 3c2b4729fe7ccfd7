# Programs under their nixpkgs names, one a line. `same` is a Debian package of that very name, `from` one of
# another name or whose main program has another name than the package.
{ lib, debian, from, ... }:

let
  deb = debian.package;

  same = lib.genAttrs [
    "bash"
    "bc"
    "bzip2"
    "coreutils"
    "cowsay"
    "curl"
    "dash"
    "ed"
    "fakeroot"
    "figlet"
    "file"
    "gawk"
    "gettext"
    "git"
    "gzip"
    "haproxy"
    "hello"
    "htop"
    "iproute2"
    "iptables"
    "jq"
    "less"
    "lsof"
    "m4"
    "memcached"
    "nano"
    "parallel"
    "patch"
    "patchelf"
    "perl"
    "pigz"
    "procps"
    "rsync"
    "screen"
    "skopeo"
    "socat"
    "strace"
    "sudo"
    "time"
    "tini"
    "tmux"
    "tree"
    "tzdata"
    "unzip"
    "util-linux"
    "vim"
    "wget"
    "zip"
    "zstd"
  ]
    deb;
in
same // {
  bind = from "bind9-dnsutils" "dig";
  binutils = from "binutils" "ld";
  busybox = from "busybox-static" "busybox";
  cacert = deb "ca-certificates";
  diffutils = from "diffutils" "diff";
  emacs = from "emacs-nox" "emacs";
  findutils = from "findutils" "find";
  getent = from "libc-bin" "getent";
  glibc = deb "libc6" // { bin = deb "libc-bin"; };
  glibcLocales = deb "locales-all";
  gnugrep = from "grep" "grep";
  gnumake = from "make" "make";
  gnused = from "sed" "sed";
  gnutar = from "tar" "tar";
  iana-etc = deb "netbase";
  iputils = from "iputils-ping" "ping";
  libcap = from "libcap2-bin" "setcap";
  ncurses = from "ncurses-bin" "tput" // { out = deb "ncurses-bin"; };
  netcat = from "netcat-openbsd" "nc";
  nettools = from "net-tools" "ifconfig";
  nginx = deb "nginx";
  nix = deb "nix-bin";
  nodejs = from "nodejs" "node";
  openssh = from "openssh-client" "ssh";
  postgresql = from "postgresql" "postgres";
  redis = from "redis-server" "redis-server";
  ripgrep = from "ripgrep" "rg";
  shadow = from "passwd" "useradd";
  su-exec = throw "su-exec: Debian has no su-exec; gosu (pkgs.gosu) does the same";
  gosu = deb "gosu";
  which = from "gnu-which" "which";
  xxd = from "xxd" "xxd";
  xz = from "xz-utils" "xz";
}
