# A derivation whose builder is a Python module that has only the standard library, and gets its order as
# structured attributes: no shell, and no package but Python's own.
#
#   name, source, module   `source` is a folder whose modules import each other relatively
#   order                  what the module is to do; any value that JSON can hold
#   graphs                 { name = paths; }: closures to be told of, as Nix's exportReferencesGraph
#   path                   packages whose programs the module may run
#   prefix                 words before Python's own, such as a program that starts it
{ lib, builder, system }:

let
  plainDerivation = import ./plain-derivation.nix { inherit lib; };

  build = { name, source, module, order, graphs ? { }, path ? [ ], prefix ? [ ], outputs ? [ "out" ], ... }@args:
    derivation ({
      inherit name system order outputs;
      __structuredAttrs = true;
      exportReferencesGraph = graphs;
      # With structured attributes the environment is empty, and Python finds its library by way of PATH.
      builder = "${builder.bootstrap}/bin/busybox";
      args = [
        "env"
        "PATH=${lib.makeBinPath ([ builder.python ] ++ path)}:${builder.bootstrap}/bin"
      ] ++ prefix ++ [ "${builder.python}/bin/python3" ] ++ builder.command source module;
      preferLocalBuild = true;
      allowSubstitutes = false;
    } // removeAttrs args [ "source" "module" "graphs" "path" "prefix" ]);
in
plainDerivation build
