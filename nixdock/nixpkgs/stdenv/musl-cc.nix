# The C compiler for musl: Debian's gcc, told to find nothing but musl, and to link statically.
{ lib, pkgs, musl, gcc }:

pkgs.buildPackages.runCommandLocal "musl-gcc-${musl.version}"
{
  inherit musl gcc;
  passthru = {
    cc = gcc;
    bintools = gcc;
    libc = musl;
    libraries = [ ];
    isGNU = true;
    isClang = false;
    targetPrefix = "";
  };
  meta.mainProgram = "gcc";
}
  ''
    triplet=$(basename $musl/include/*-linux-musl)
    mkdir -p $out/bin $out/nix-support
    for program in $gcc/bin/*; do
      ln -s $program $out/bin/
    done
    for program in gcc cc musl-gcc; do
      rm -f $out/bin/$program
      cat > $out/bin/$program <<END
    #! ${pkgs.buildPackages.runtimeShell}
    links=1
    for word in "\$@"; do
      case \$word in
        -c | -S | -E | -M | -MM | -fsyntax-only | --version | -dump* | -print-* | -v) links= ;;
      esac
    done
    before=(-nostdinc -isystem $musl/include/$triplet -isystem \$($gcc/bin/gcc -print-file-name=include))
    after=()
    read -ra flags -d "" <<<"\''${NIX_CFLAGS_COMPILE-}"
    after+=("\''${flags[@]}")
    if [ -n "\$links" ]; then
      libraries=$musl/lib/$triplet
      own=\$(dirname "\$($gcc/bin/gcc -print-libgcc-file-name)")
      before+=(-static -nostdlib "\$libraries/crt1.o" "\$libraries/crti.o" "\$own/crtbeginT.o" "-L\$libraries" "-L\$own")
      after+=(-Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group "\$own/crtend.o" "\$libraries/crtn.o")
    fi
    exec $gcc/bin/gcc "\''${before[@]}" "\$@" "\''${after[@]}"
    END
      chmod +x $out/bin/$program
    done
    rm -f $out/bin/{g++,c++}
    echo 'export CC=gcc AR=ar LD=ld NM=nm RANLIB=ranlib STRIP=strip' > $out/nix-support/setup-hook
  ''
