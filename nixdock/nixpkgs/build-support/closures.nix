# What a store path needs to run, as files.
{ lib, builder, pkgs }:

let
  runPython = import ./python-builder.nix { inherit lib builder; inherit (pkgs.buildPlatform) system; };
  source = import ./python-source.nix { inherit lib; } ./builders;
  closure = name: form: roots: runPython {
    inherit name source;
    module = "closure_info";
    order = { inherit form; };
    graphs.closure = roots;
  };
in
{
  # registration (for nix-store --load-db), store-paths, total-nar-size.
  closureInfo = { rootPaths }: closure "closure-info" "info" (lib.toList rootPaths);
  writeClosure = closure "runtime-deps" "paths";
  # The paths of a closure, those first that most others need.
  referencesByPopularity = path: runPython {
    name = "closure-paths";
    source = import ./python-source.nix { inherit lib; } ../dockertools;
    module = "paths_by_popularity";
    order = { };
    graphs.closure = [ path ];
  };
  writeReferencesToFile = path: closure "runtime-deps" "paths" [ path ];
}
