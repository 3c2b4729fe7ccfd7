# The stage of build environments: `stdenv`, `stdenvNoCC`, and the compiler in them.
{ lib, debian, builder, buildPlatform, hostPlatform }:

final: prev:

let
  # What a phase may call without asking for it.
  initialPath = with final.buildPackages; [
    bash coreutils findutils diffutils gnused gnugrep gawk gnutar gzip bzip2 xz gnumake patch
  ];

  makeStdenv = { cc, extraNativeBuildInputs ? [ ], extraBuildInputs ? [ ] }@args: lib.fix (stdenv: {
    name = "stdenv-${if cc == null then "nocc-" else ""}linux";
    # Builds read `setup` from here, and nix-shell does.
    outPath = "${./setup}";
    inherit buildPlatform hostPlatform initialPath;
    targetPlatform = hostPlatform;
    inherit (hostPlatform) system isLinux isDarwin isx86_64 isx86_32 isi686 isAarch64 isAarch32 is64bit is32bit isMusl;
    inherit (hostPlatform) isFreeBSD isOpenBSD isBSD isCygwin isWindows isBigEndian isLittleEndian;
    cc = if cc == null then throw "stdenvNoCC has no C compiler; use stdenv" else cc;
    hasCC = cc != null;
    shell = "${final.buildPackages.bash}/bin/bash";
    shellPackage = final.buildPackages.bash;
    shellDryRun = "${final.buildPackages.bash}/bin/bash -n -O extglob";
    inherit extraNativeBuildInputs extraBuildInputs;
    defaultNativeBuildInputs = lib.optionals (cc != null) [ cc ] ++ extraNativeBuildInputs;
    defaultBuildInputs = extraBuildInputs;
    # What patches the programs that a build has made, as those of Debian are patched.
    # What is linked statically names neither a loader nor libraries.
    fixupCommand = if cc == null || hostPlatform.isMusl then "" else
      lib.escapeShellArgs ([ "env" "PATH=${builder.bootstrap}/bin" "${builder.python}/bin/python3" ] ++ builder.command ../debian/builders "fixup");
    fixupLibraries = lib.optionals (cc != null && !hostPlatform.isMusl) ([ cc.libc final.bash ] ++ cc.libraries);
    mkDerivation = import ./make-derivation.nix {
      inherit lib stdenv;
      inherit (final) config;
    };
    override = changes: makeStdenv (args // lib.intersectAttrs { cc = 1; extraNativeBuildInputs = 1; extraBuildInputs = 1; } changes);
    __toString = self: self.outPath;
  });
  # gcc12Stdenv is there where gcc12 is this compiler.
  versioned = lib.genAttrs' (map toString (lib.range 7 15)) (version: lib.nameValuePair "gcc${version}Stdenv" (
    if final."gcc${version}" ? libc then own.stdenv
    else throw "gcc${version}Stdenv: the compiler of this set is GCC ${final.gcc.version}: pkgs.stdenv; another is in the real nixpkgs (--nixpkgs PATH)"
  ));
  # So is llvmPackages_14, with what is in it.
  ofLlvm = lib.mergeAttrsList (map
    (version: lib.genAttrs' [ "llvmPackages" "clang" "clang-tools" "lld" "lldb" "llvm" ] (name: lib.nameValuePair "${name}_${version}" (
      if lib.versions.major own.clang.version == version then own.${name} or prev.${name}
      else throw "${name}_${version}: the LLVM of this Debian is ${final.clang.version}: pkgs.${name}; another is in the real nixpkgs (--nixpkgs PATH)"
    )))
    (map toString (lib.range 9 21)));

  # What names with a version mean, and other compilers' stdenv: an overlay may say `stdenv = prev.clangStdenv`.
  own = versioned // ofLlvm // {
    inherit buildPlatform hostPlatform;
    targetPlatform = hostPlatform;

    stdenvNoCC = makeStdenv { cc = null; };
    stdenv = makeStdenv {
      cc =
        if hostPlatform.parsed.cpu.name != buildPlatform.parsed.cpu.name then
          throw "the offline package set has no compiler that builds for ${hostPlatform.system} on ${buildPlatform.system}; use the real nixpkgs for this (--nixpkgs PATH)"
        else if hostPlatform.isMusl then final.buildPackages.muslGcc
        else final.buildPackages.gcc;
    };
    gccStdenv = own.stdenv;
    clangStdenv = own.overrideCC own.stdenv own.clang;
    overrideCC = stdenv: cc: stdenv.override { inherit cc; };
    stdenvAdapters = import ./adapters.nix { inherit lib; pkgs = final; };

    gcc = import ./cc.nix { inherit lib debian; pkgs = final; };
    cc = final.gcc;
    gcc-unwrapped = final.gcc.unwrapped;
    clang = import ./clang.nix { inherit lib debian; pkgs = final; };
    # The tools of LLVM have names of their own, too.
    llvmPackages = {
      inherit (final) bear clang clang-tools lld lldb llvm;
      stdenv = final.clangStdenv;
      bintools = final.lld;
      clang-unwrapped = final.clang.unwrapped;
      libllvm = final.llvm;
    };
    muslGcc = import ./musl-cc.nix {
      inherit lib;
      pkgs = final;
      musl = debian.package "musl-dev";
      gcc = debian.package "g++";
    };

    pkgsBuildBuild = final.buildPackages;
    pkgsBuildHost = final.buildPackages;
    pkgsHostHost = final;
    pkgsHostTarget = final;
    targetPackages = final;
  };
in
own
