# The C compiler: Debian's gcc, which takes flags from the environment as nixpkgs' compiler does.
{ lib, debian, pkgs }:

let
  # gcc, g++, binutils and the C library's headers as one; it knows where its loader and its headers are.
  unwrapped = debian.package "g++";
  libc = pkgs.glibc;
  # What programs that were built elsewhere are told to be loaded by.
  dynamicLinker = "${libc}/lib/" + {
    x86_64 = "ld-linux-x86-64.so.2";
    aarch64 = "ld-linux-aarch64.so.1";
  }.${pkgs.stdenv.hostPlatform.parsed.cpu.name};
in
pkgs.runCommandLocal "gcc-wrapper-${unwrapped.version}"
{
  inherit unwrapped dynamicLinker;
  libraries = debian.package "libstdc++6";
  wrapper = ./cc-wrapper.sh;
  shell = pkgs.runtimeShell;
  passthru = {
    cc = unwrapped // { lib = debian.package "libstdc++6"; };
    bintools = unwrapped // { bintools = unwrapped; inherit dynamicLinker libc; };
    inherit libc unwrapped;
    # What a program of this compiler may need besides the C library.
    libraries = [ (debian.package "libstdc++6") ];
    lib = debian.package "libstdc++6";
    version = unwrapped.version;
    isGNU = true;
    isClang = false;
    targetPrefix = "";
    nativeTools = false;
  };
  meta = {
    description = "GNU Compiler Collection, with flags from the environment";
    mainProgram = "gcc";
  };
}
  ''
    mkdir -p $out/bin $out/nix-support
    for program in $unwrapped/bin/*; do
      ln -s $program $out/bin/
    done
    for program in gcc g++ cpp cc c++; do
      name=''${program/#c++/g++}
      if [ $name = cc ]; then name=gcc; fi
      rm -f $out/bin/$program
      # Only what is written in C++ needs its library.
      folder=
      if [ $name = g++ ]; then folder=$libraries/lib; fi
      substitute $wrapper $out/bin/$program --replace-fail @shell@ $shell \
        --replace-fail @program@ $unwrapped/bin/$name --replace-fail @libraries@ "$folder"
      chmod +x $out/bin/$program
    done
    cat > $out/nix-support/setup-hook <<'END'
    export CC=gcc CXX=g++ AR=ar AS=as LD=ld NM=nm OBJCOPY=objcopy OBJDUMP=objdump RANLIB=ranlib READELF=readelf \
      SIZE=size STRINGS=strings STRIP=strip
    export NIX_CC=@out@ NIX_BINTOOLS=@out@
    END
    echo $dynamicLinker > $out/nix-support/dynamic-linker
    substituteInPlace $out/nix-support/setup-hook --replace-fail @out@ $out
  ''
