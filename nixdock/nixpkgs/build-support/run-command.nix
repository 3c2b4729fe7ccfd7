# A derivation of one shell command.
{ lib, pkgs }:

let
  # Name, environment, command; `local` builds here rather than ask a cache or another machine.
  runWith = { stdenv, local }: name: env: command:
    stdenv.mkDerivation ({
      inherit name;
      enableParallelBuilding = true;
      buildCommand = command;
      passAsFile = [ "buildCommand" ] ++ env.passAsFile or [ ];
    }
    // lib.optionalAttrs local { preferLocalBuild = true; allowSubstitutes = false; }
    // removeAttrs env [ "passAsFile" ]);
in
{
  runCommand = runWith { stdenv = pkgs.stdenvNoCC; local = false; };
  runCommandLocal = runWith { stdenv = pkgs.stdenvNoCC; local = true; };
  runCommandCC = runWith { stdenv = pkgs.stdenv; local = false; };
  runCommandWith = { name, stdenv ? pkgs.stdenv, runLocal ? false, derivationArgs ? { } }:
    runWith { inherit stdenv; local = runLocal; } name derivationArgs;

  # Old names, from when there was a compiler in the first.
  runCommandNoCC = pkgs.runCommand;
  runCommandNoCCLocal = pkgs.runCommandLocal;

  # What only must come out empty or not at all.
  emptyFile = pkgs.writeText "empty-file" "";
  emptyDirectory = pkgs.runCommandLocal "empty-directory" { } "mkdir $out";

  applyPatches = { src, patches ? [ ], name ? "${src.name or (baseNameOf (toString src))}-patched", postPatch ? "", prePatch ? "", ... }:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name src patches prePatch postPatch;
      phases = [ "unpackPhase" "patchPhase" "installPhase" ];
      installPhase = "cp -r . $out";
    };
}
