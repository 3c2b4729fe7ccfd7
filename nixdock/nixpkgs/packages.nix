# The packages under their nixpkgs names. Most are a Debian package of the same or another name; the rest is
# put together here.
{ lib, debian }:

final: prev:

let
  deb = debian.package;
  # The same package under the name that nixpkgs gives it.
  from = name: program: deb name // { meta = (deb name).meta // { mainProgram = program; }; };
in
{
  hello = deb "hello";
  bash = deb "bash";
  bashInteractive = final.bash;
  busybox = deb "busybox-static";
  bzip2 = deb "bzip2";
  coreutils = deb "coreutils";
  dash = deb "dash";
  diffutils = from "diffutils" "diff";
  fakeroot = deb "fakeroot";
  file = deb "file";
  findutils = from "findutils" "find";
  gawk = deb "gawk";
  gnugrep = from "grep" "grep";
  gnumake = from "make" "make";
  gnused = from "sed" "sed";
  gnutar = from "tar" "tar";
  gzip = deb "gzip";
  jq = deb "jq";
  less = deb "less";
  patch = deb "patch";
  patchelf = deb "patchelf";
  pigz = deb "pigz";
  python3 = deb "python3";
  rsync = deb "rsync";
  util-linux = deb "util-linux";
  which = from "gnu-which" "which";
  xz = from "xz-utils" "xz";
  zlib = deb "zlib1g";
  zstd = deb "zstd";

  glibc = deb "libc6";
}
