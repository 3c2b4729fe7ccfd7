# buildLayeredImage: what streamLayeredImage streams, as a compressed file.
{ lib, pkgs, builder, check, compressors, stream }:

lib.makeOverridable (
  { name, compressor ? "gz", meta ? { }, ... }@args:
  let
    script = stream (removeAttrs args [ "compressor" "meta" ]);
    kind = compressors.${compressor};
  in
  assert check.compressor "buildLayeredImage" compressors compressor;
  lib.extendDerivation true
    {
      inherit (script) imageName imageTag;
      stream = script;
      meta = { inherit name; } // meta;
    }
    (derivation {
      name = "${baseNameOf name}.tar${kind.ext}";
      inherit (pkgs.buildPlatform) system;
      builder = "${builder.bootstrap}/bin/busybox";
      args = [ "sh" "-e" "-o" "pipefail" "-c" "\"$stream\" | ${kind.command} > $out" ];
      stream = script;
      PATH = "${lib.makeBinPath kind.packages}:${builder.bootstrap}/bin";
      preferLocalBuild = true;
      allowSubstitutes = false;
    })
)
