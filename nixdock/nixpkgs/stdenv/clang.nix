# Debian's clang as a compiler of this set: it links what gcc's unit has, and takes flags from the environment.
{ lib, debian, pkgs }:

let
  inherit (pkgs) gcc;
  unwrapped = debian.package "clang";
  libstdcxx = debian.package "libstdc++6";
in
pkgs.runCommandLocal "clang-wrapper-${unwrapped.version}"
{
  inherit unwrapped;
  toolchain = gcc.unwrapped;
  libc = gcc.libc;
  libraries = libstdcxx;
  wrapper = ./cc-wrapper.sh;
  shell = pkgs.runtimeShell;
  passthru = {
    inherit (gcc) bintools libc libraries lib;
    cc = unwrapped // { lib = libstdcxx; };
    inherit unwrapped;
    version = unwrapped.version;
    isGNU = false;
    isClang = true;
    targetPrefix = "";
    nativeTools = false;
  };
  meta = {
    description = "Clang, with flags from the environment";
    mainProgram = "clang";
  };
}
  ''
    mkdir -p $out/bin $out/nix-support
    for program in $toolchain/bin/*; do
      case ''${program##*/} in
        *gcc* | *g++* | *cpp* | cc | c++ | c89* | c99*) ;;
        *) ln -s $program $out/bin/ ;;
      esac
    done
    triplet=$(basename $toolchain/lib/gcc/*)
    loader=
    for file in $libc/lib/$triplet/ld-linux*.so.*; do loader=$file; done
    flags="--gcc-toolchain=$toolchain -B$toolchain/bin -B$toolchain/lib/$triplet"
    flags="$flags -idirafter $toolchain/include/$triplet -idirafter $toolchain/include"
    flags="$flags -L$toolchain/lib/$triplet -L$libc/lib/$triplet -Wl,-rpath,$libc/lib/$triplet"
    flags="$flags -Wl,--dynamic-linker=$loader -Wno-unused-command-line-argument"
    for program in clang clang++ cc c++ cpp; do
      name=''${program/#c++/clang++}
      folder=
      case $name in
        cc) name=clang ;;
        cpp) name="clang -E" ;;
        # Only what is written in C++ needs its library.
        clang++) folder=$libraries/lib ;;
      esac
      substitute $wrapper $out/bin/$program --replace-fail @shell@ $shell \
        --replace-fail @program@ "$unwrapped/bin/$name $flags" \
        --replace-fail @libraries@ "$folder"
      chmod +x $out/bin/$program
    done
    cat > $out/nix-support/setup-hook <<END
    export CC=clang CXX=clang++ AR=ar AS=as LD=ld NM=nm OBJCOPY=objcopy OBJDUMP=objdump RANLIB=ranlib READELF=readelf \
      SIZE=size STRINGS=strings STRIP=strip
    export NIX_CC=$out
    END
  ''
