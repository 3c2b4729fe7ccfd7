# A derivation of one command of the static busybox's shell: for what needs no package.
{ lib, builder, system }:

name: env: command:
lib.extendDerivation true { meta = { inherit name; } // env.meta or { }; } (derivation (removeAttrs env [ "meta" ] // {
  inherit name system;
  builder = "${builder.bootstrap}/bin/busybox";
  args = [ "sh" "-eu" "-c" command ];
  preferLocalBuild = true;
  allowSubstitutes = false;
}))
