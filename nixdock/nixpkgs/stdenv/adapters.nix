# stdenvAdapters: environments that are others with a change.
{ lib, pkgs }:

let
  # What is given to every derivation of an environment, and may look at what the derivation says itself.
  change = how: stdenv: stdenv // {
    mkDerivation = args:
      stdenv.mkDerivation (if lib.isFunction args then (final: let attrs = args final; in attrs // how attrs) else args // how args);
    override = changes: change how (stdenv.override changes);
  };

  # Flags for the compiler, where the derivation has its own.
  flags = name: words: attrs:
    if attrs ? env.${name} || !(attrs ? ${name}) then
      { env = attrs.env or { } // { ${name} = toString [ (attrs.env.${name} or "") words ]; }; }
    else { ${name} = toString [ attrs.${name} words ]; };

  linker = name: package: stdenv: change (flags "NIX_CFLAGS_LINK" "-fuse-ld=${name}")
    (stdenv.override { extraNativeBuildInputs = stdenv.extraNativeBuildInputs ++ package; });
in
{
  addAttrsToDerivation = extra: change (_: extra);
  overrideInStdenv = stdenv: packages:
    stdenv.override { extraNativeBuildInputs = stdenv.extraNativeBuildInputs ++ packages; };
  withCFlags = words: change (flags "NIX_CFLAGS_COMPILE" (toString words));
  impureUseNativeOptimizations = change (flags "NIX_CFLAGS_COMPILE" "-march=native");
  keepDebugInfo = change (attrs: { dontStrip = true; } // flags "NIX_CFLAGS_COMPILE" "-ggdb -Og" attrs);
  useMoldLinker = linker "mold" [ pkgs.buildPackages.mold ];
  useGoldLinker = linker "gold" [ ];
}
