# The stage of build environments: `stdenv`, `stdenvNoCC`, and the compiler in them.
{ lib, debian, builder, buildPlatform, hostPlatform }:

final: prev:

let
  # What a phase may call without asking for it.
  initialPath = with final.buildPackages; [
    bash coreutils findutils diffutils gnused gnugrep gawk gnutar gzip bzip2 xz gnumake patch
  ];

  makeStdenv = { cc }: lib.fix (stdenv: {
    name = "stdenv-${if cc == null then "nocc-" else ""}linux";
    # Builds read `setup` from here, and nix-shell does.
    outPath = "${./setup}";
    inherit buildPlatform hostPlatform initialPath;
    targetPlatform = hostPlatform;
    inherit (hostPlatform) system isLinux isDarwin isx86_64 isAarch64 is64bit is32bit;
    cc = if cc == null then throw "stdenvNoCC has no C compiler; use stdenv" else cc;
    hasCC = cc != null;
    shell = "${final.buildPackages.bash}/bin/bash";
    shellPackage = final.buildPackages.bash;
    shellDryRun = "${final.buildPackages.bash}/bin/bash -n -O extglob";
    defaultNativeBuildInputs = lib.optionals (cc != null) [ cc ];
    defaultBuildInputs = [ ];
    # What patches the programs that a build has made, as those of Debian are patched.
    fixupCommand = if cc == null then "" else
      lib.escapeShellArgs ([ "env" "PATH=${builder.bootstrap}/bin" "${builder.python}/bin/python3" ] ++ builder.command ../debian/builders "fixup");
    fixupLibraries = lib.optionals (cc != null) ([ cc.libc final.bash ] ++ cc.libraries);
    mkDerivation = import ./make-derivation.nix {
      inherit lib stdenv;
      inherit (final) config;
    };
    override = { cc ? null, ... }: makeStdenv { inherit cc; };
    __toString = self: self.outPath;
  });
in
{
  inherit buildPlatform hostPlatform;
  targetPlatform = hostPlatform;

  stdenvNoCC = makeStdenv { cc = null; };
  stdenv = makeStdenv { cc = final.buildPackages.gcc; };
  gccStdenv = final.stdenv;
  overrideCC = _stdenv: cc: makeStdenv { inherit cc; };

  gcc = import ./cc.nix { inherit lib debian; pkgs = final; };
  cc = final.gcc;

  # Without a cross system the packages that build and those that are built are the same.
  buildPackages = prev.buildPackages or final;
  pkgsBuildBuild = final.buildPackages;
  pkgsBuildHost = final.buildPackages;
  pkgsHostHost = final;
  pkgsHostTarget = final;
  targetPackages = final;
}
