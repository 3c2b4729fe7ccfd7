# buildLayeredImage: what streamLayeredImage streams, as a compressed file.
{ lib, check, compress, compressors, stream }:

lib.makeOverridable (
  { name, compressor ? "gz", meta ? { }, ... }@args:
  let
    script = stream (removeAttrs args [ "compressor" "meta" ]);
  in
  assert check.compressor "buildLayeredImage" compressors compressor;
  compress { name = baseNameOf name; inherit script compressor meta; passthru.stream = script; }
)
