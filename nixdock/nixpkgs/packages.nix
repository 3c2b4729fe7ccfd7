# The packages under their nixpkgs names, one a line. `same` is a Debian package of that very name, `from` one
# of another name or whose main program has another name than the package. Everything else that Debian has
# is in `debian`, by its Debian name: pkgs.debian.cowsay.
{ lib, debian }:

final: prev:

let
  deb = debian.package;

  # A Debian package, and the name of its main program.
  from = name: program:
    let package = deb name;
    in package // { meta = package.meta // { mainProgram = program; }; };

  # A program whose library is a package of its own.
  withLibrary = library: package: package // { out = library; lib = library; };

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
    "openssl"
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
  python3 = import ./python.nix { inherit lib debian; };
  python3Packages = final.python3.pkgs;

  bashInteractive = final.bash;
  bind = from "bind9-dnsutils" "dig";
  binutils = from "binutils" "ld";
  busybox = from "busybox-static" "busybox";
  cacert = deb "ca-certificates";
  dig = final.bind;
  diffutils = from "diffutils" "diff";
  emacs = from "emacs-nox" "emacs";
  emacs-nox = final.emacs;
  findutils = from "findutils" "find";
  getent = from "libc-bin" "getent";
  glibc = deb "libc6" // { bin = deb "libc-bin"; };
  glibcLocales = deb "locales-all";
  gitMinimal = final.git;
  gnugrep = from "grep" "grep";
  gnumake = from "make" "make";
  gnused = from "sed" "sed";
  gnutar = from "tar" "tar";
  iana-etc = deb "netbase";
  iputils = from "iputils-ping" "ping";
  libcap = from "libcap2-bin" "setcap";
  ncurses = from "ncurses-bin" "tput" // { out = deb "ncurses-bin"; };
  netcat = from "netcat-openbsd" "nc";
  netcat-openbsd = final.netcat;
  nettools = from "net-tools" "ifconfig";
  nginx = deb "nginx";
  nix = deb "nix-bin";
  nodejs = from "nodejs" "node";
  openssh = from "openssh-client" "ssh";
  postgresql = from "postgresql" "postgres";
  procps-ng = final.procps;
  redis = from "redis-server" "redis-server";
  ripgrep = from "ripgrep" "rg";
  shadow = from "passwd" "useradd";
  sqlite = from "sqlite3" "sqlite3";
  su-exec = throw "su-exec: Debian has no su-exec; gosu (pkgs.gosu) does the same";
  gosu = deb "gosu";
  which = from "gnu-which" "which";
  xxd = from "xxd" "xxd";
  xz = from "xz-utils" "xz";
  zlib = deb "zlib1g";
}
// {
  openssl = withLibrary (debian.either [ "libssl3t64" "libssl3" ]) (deb "openssl");
  sqlite = withLibrary (deb "libsqlite3-0") (from "sqlite3" "sqlite3");
}
