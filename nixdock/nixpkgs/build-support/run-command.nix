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

  # What only must come out empty or not at all.
  emptyFile = pkgs.writeText "empty-file" "";
  emptyDirectory = pkgs.runCommandLocal "empty-directory" { } "mkdir $out";
  testers = {
    testEqualContents = { assertion, actual, expected }:
      pkgs.runCommandLocal "equal-contents-${lib.strings.sanitizeDerivationName assertion}" { inherit assertion actual expected; } ''
        echo "checking: $assertion"
        diff -U5 -r "$expected" "$actual"
        touch $out
      '';
  };

  # @name@ of every variable, replaced.
  substituteAll = args: pkgs.runCommandLocal
    (args.name or (baseNameOf (toString args.src)))
    (removeAttrs args [ "name" "dir" "isExecutable" ] // { dir = args.dir or ""; isExecutable = args.isExecutable or false; })
    ''
      target=$out
      if [ -n "$dir" ]; then
        target=$out/$dir/$name
        mkdir -p "$out/$dir"
      fi
      substituteAll "$src" "$target"
      if [ -n "$isExecutable" ]; then chmod +x "$target"; fi
    '';
  # { name = value; } given by hand: each @name@ must be in the file.
  replaceVars = src: replacements:
    let
      given = lib.filterAttrs (_: value: value != null) replacements;
      options = lib.concatStringsSep " " (lib.mapAttrsToList
        (key: value: "--replace-fail ${lib.escapeShellArgs [ "@${key}@" value ]}")
        given);
    in
    pkgs.runCommandLocal (baseNameOf (toString src)) { inherit src; } ''
      substitute "$src" "$out" ${options}
    '';
  applyPatches = { src, patches ? [ ], name ? "${src.name or (baseNameOf (toString src))}-patched", postPatch ? "", prePatch ? "", ... }:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name src patches prePatch postPatch;
      phases = [ "unpackPhase" "patchPhase" "installPhase" ];
      installPhase = "cp -r . $out";
    };
}
