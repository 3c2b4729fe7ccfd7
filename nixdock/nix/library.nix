# nixdock for Nix expressions: what `nixdock library` prints the directory of.
#
#   nixdock = import <nixdock> { inherit pkgs; };
#   nixdock.lib.staticTests image
{ pkgs ? import <nixpkgs> { } }:

let
  inherit (pkgs) lib;

  # The Python that this nixdock's compiled parts are for.
  wanted = (builtins.fromJSON (builtins.readFile ./about.json)).python;
  named = pkgs."python${lib.replaceStrings [ "." ] [ "" ] wanted}" or pkgs.python3;
  python =
    if lib.versions.majorMinor named.version == wanted then named
    else throw "nixdock runs by Python ${wanted} on this machine, which this package set does not have (it has ${named.version})";

  # What the compiled parts need, as the compiler of the set has it.
  libraries = [ (pkgs.stdenv.cc.lib or pkgs.stdenv.cc.cc.lib) pkgs.stdenv.cc.libc ];
in
{
  # The checks of an image's `nixdock` attribute that need no engine, as a derivation: it fails where one of them
  # does, and its log is the report. The others are skipped, by name.
  lib.staticTests = image:
    pkgs.runCommand "${image.imageName or image.name}-static-tests"
      {
        # Names of store paths are compared as text; only the image itself is needed.
        suite = builtins.unsafeDiscardStringContext (builtins.toJSON ({ version = 1; } // image.nixdock or { }));
        passAsFile = [ "suite" ];
        # The same image, never written as an archive.
        image = image.stream or image;
        # What is valid in the store, which nobody can ask Nix in its sandbox.
        exportReferencesGraph = [ "closure" (image.stream or image) ];
        PYTHONPATH = "${./site-packages}";
        meta.description = "What must hold of the files and the metadata of ${image.imageName or image.name}";
      }
      ''
        export NIXDOCK_CACHE_DIR=$PWD/cache NIXDOCK_STORE_PATHS=$PWD/closure
        ln -s "$suitePath" static.checks.json
        # What a builder writes to seems to be a terminal.
        export TERM=dumb NO_COLOR=1
        LD_LIBRARY_PATH=${lib.makeLibraryPath libraries} ${python}/bin/python3 -m nixdock check "$image" \
          --checks static.checks.json --static
        touch "$out"
      '';
}
