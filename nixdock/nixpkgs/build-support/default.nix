# The stage of small builders: files, scripts, wrappers, trees of links, and what is known of closures.
{ lib, builder }:

final: prev:

let
  # Built by the static busybox alone, so that a text costs no package.
  writers = import ./write.nix { inherit lib builder; pkgs = final; };
  commands = import ./run-command.nix { inherit lib; pkgs = final; };
  substitutions = import ./substitutions.nix { inherit lib; pkgs = final; };
  trees = import ./trees.nix { inherit lib builder; pkgs = final; };
  closures = import ./closures.nix { inherit lib builder; pkgs = final; };
  wrappers = import ./wrappers.nix { inherit lib; pkgs = final; };
  shells = import ./shells.nix { inherit lib; pkgs = final; };
  fetchers = import ./fetchers { inherit lib; pkgs = final; };
  sources = import ./sources.nix { inherit lib; pkgs = final; };
  sets = import ./sets.nix { inherit lib; pkgs = final; };
  absent = import ./absent.nix { inherit lib; };
in
absent // writers // commands // trees // closures // wrappers // shells // fetchers // sources // sets // {
  nix-gitignore = import ./gitignore.nix { inherit lib; };
  testers = import ./testers.nix { inherit lib; pkgs = final; };
  inherit (substitutions) replaceVars replaceVarsWith substitute substituteAll substituteAllFiles;
}
