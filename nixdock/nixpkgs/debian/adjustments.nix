# What Debian's packages lack as store paths, by unit. Without an entry a unit is its packages, patched.
#
#   links    what update-alternatives, a postinst or the essential packages would have made: place = target
#   needs    packages to refer to that Debian does not name as a dependency
#   without  dependencies that an image does not need
#   drop     patterns of files to leave out
#   strings  strings in programs to replace, by the files' pattern: old = new, never a longer one
#   guide    what programs are told by a library that they are made to load first (builders/guide.c):
#            places (what a path begins with = folders to look below instead), last (the same, for what is
#            not at its place), libraries (whether loaded ones count), env (variables, where not set), prefix
#            (folders that a search path begins with); `$out` is the store path
#   finish   a shell script for what is left, run in the store path by a static busybox
{ builder, unit }:

let
  # The C library and the libraries of ncurses look for terminals at one of three places. This store path
  # is short enough to stand in their stead.
  terminfo = derivation {
    name = "t";
    inherit (builder) system;
    builder = "${builder.bootstrap}/bin/busybox";
    args = [ "sh" "-euc" "cp -r $base/lib/terminfo $out || cp -r $base/share/terminfo $out" ];
    base = unit "ncurses-base";
  };
in
{
  bash.links."bin/sh" = "bin/bash";

  libtinfo6 = {
    needs = [ "ncurses-base" ];
    strings."lib/*/libtinfo.so.*"."/etc/terminfo:/lib/terminfo:/usr/share/terminfo" = "${terminfo}";
  };

  # Programs find these at a path of their own system only.
  libc6.drop = [ "lib/*/gconv/*" ];

  file.guide.places."/usr" = [ "$out" "${unit "libmagic1"}" "${unit "libmagic-mgc"}" ];

  nodejs.guide.places."/usr" = [ "$out" ];

  openssl.guide.places."/usr" = [ "$out" ];

  perl.guide = { places."/usr" = [ "$out" ]; libraries = true; };

  vim.guide.places."/usr" = [ "$out" ];

  # Tell the compiler where it is: the headers and the loader are not at their absolute paths.
  "g++".finish = ''
    triplet=$(basename $out/lib/gcc/*)
    loader=
    for file in ${unit "libc6"}/lib/$triplet/ld-linux*.so.*; do
      loader=$file
    done
    for folder in $out/lib/gcc/$triplet/*; do
      # A file of specs replaces what is compiled in, so that it must say everything.
      bin/gcc -dumpspecs > specs
      cat >> specs <<END
    *cpp:
    + -idirafter $out/include/$triplet -idirafter $out/include

    *link:
    + %{!static:%{!static-pie:%{!shared:-dynamic-linker $loader}}} -L${unit "libc6"}/lib/$triplet -rpath ${unit "libc6"}/lib/$triplet

    END
      mv specs $folder/specs
    done
    mkdir $out/$triplet
    ln -s ../bin $out/$triplet/bin
  '';
}
