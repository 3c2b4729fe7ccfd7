# buildLayeredImage: what streamLayeredImage streams, as a compressed file.
{ lib, check, as, compress, compressors, stream }:

let
  # `where` is the function that was called.
  make = where: lib.makeOverridable (
    { compressor ? "gz", meta ? { }, ... }@args:
    let
      script = as where stream (removeAttrs args [ "compressor" "meta" ]);
    in
    assert check.compressor where compressors args;
    # The script says what of the arguments is wrong.
    builtins.seq script (compress {
      name = baseNameOf args.name;
      inherit script compressor meta;
      passthru.stream = script;
    })
  );
in
make "buildLayeredImage" // { calledAs = make; }
