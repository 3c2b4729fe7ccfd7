# A derivation of one command of the static busybox's shell: for what needs no package.
{ lib, builder, system }:

let
  plainDerivation = import ./plain-derivation.nix { inherit lib; };
in
name: env: command:
plainDerivation
  (attrs: derivation ({
    inherit system;
    builder = "${builder.bootstrap}/bin/busybox";
    args = [ "sh" "-eu" "-c" command ];
    preferLocalBuild = true;
    allowSubstitutes = false;
  } // attrs))
  ({ inherit name; } // env)
