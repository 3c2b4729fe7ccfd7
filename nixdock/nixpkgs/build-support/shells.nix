# Environments for nix-shell.
{ lib, pkgs }:

let
  mkShell = { stdenv }: lib.makeOverridable (
    { name ? "nix-shell"
    , packages ? [ ]
    , inputsFrom ? [ ]
    , buildInputs ? [ ]
    , nativeBuildInputs ? [ ]
    , propagatedBuildInputs ? [ ]
    , propagatedNativeBuildInputs ? [ ]
    , shellHook ? ""
    , ...
    }@args:
    let
      # What the others need, without the others themselves.
      from = kind: lib.subtractLists inputsFrom (lib.concatMap (drv: drv.drvAttrs.${kind} or [ ]) inputsFrom);
      hooks = lib.filter (text: text != "") (map (drv: drv.drvAttrs.shellHook or "") (lib.reverseList inputsFrom) ++ [ shellHook ]);
    in
    stdenv.mkDerivation (removeAttrs args [ "name" "packages" "inputsFrom" "shellHook" ] // {
      inherit name;
      buildInputs = buildInputs ++ from "buildInputs";
      nativeBuildInputs = packages ++ nativeBuildInputs ++ from "nativeBuildInputs";
      propagatedBuildInputs = propagatedBuildInputs ++ from "propagatedBuildInputs";
      propagatedNativeBuildInputs = propagatedNativeBuildInputs ++ from "propagatedNativeBuildInputs";
      shellHook = lib.concatStringsSep "\n" hooks;
      phases = [ "buildPhase" ];
      buildPhase = ''
        { echo "------------------------------------------------------------"
          echo " WARNING: the existence of this path is not guaranteed."
          echo " It is an internal implementation detail for pkgs.mkShell."
          echo "------------------------------------------------------------"
          export
        } >> "$out"
      '';
      preferLocalBuild = true;
    }));
in
{
  mkShell = lib.makeOverridable mkShell { inherit (pkgs) stdenv; };
  mkShellNoCC = lib.makeOverridable mkShell { stdenv = pkgs.stdenvNoCC; };
}
