# What Debian's packages lack as store paths, by unit. Without an entry a unit is its packages, patched.
#
#   links    what update-alternatives, a postinst or the essential packages would have made: place = target
#   needs    packages to refer to that Debian does not name as a dependency
#   without  dependencies that an image does not need
#   drop     patterns of files to leave out
#   finish   a shell script for what is left, run in the store path by a static busybox
{ has, unit }:

{
  bash.links."bin/sh" = "bin/bash";

  # Programs find these at a path of their own system only.
  libc6.drop = [ "lib/*/gconv/*" ];

  # Tell the compiler where it is: the headers and the loader are not at their absolute paths.
  "g++" = {
    finish = ''
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
  };
}
