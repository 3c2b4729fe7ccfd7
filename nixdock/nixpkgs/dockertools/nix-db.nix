# The commands that give an image a Nix database of what its contents need.
{ lib, pkgs }:

contents:
let
  roots = map (item: "${item}") contents;
in
''
  export NIX_REMOTE=local?root=$PWD USER=nobody NIX_CONF_DIR=$NIX_BUILD_TOP
  ${pkgs.buildPackages.nix}/bin/nix-store --load-db < ${pkgs.closureInfo { rootPaths = contents; }}/registration
  # When a path was registered would be the time of this build. The rest of the file depends on what was read
  # alone, once it is written anew.
  ${pkgs.buildPackages.sqlite}/bin/sqlite3 nix/var/nix/db/db.sqlite \
    "UPDATE ValidPaths SET registrationTime = $SOURCE_DATE_EPOCH; PRAGMA journal_mode = DELETE; VACUUM;" > /dev/null
  rm -rf nix/var/nix/db/big-lock nix/var/nix/db/reserved nix/var/nix/temproots nix/var/nix/gc.lock
  mkdir -p nix/var/nix/gcroots/docker
  for path in ${lib.escapeShellArgs roots}; do
    ln -s "$path" "nix/var/nix/gcroots/docker/$(basename "$path")"
  done
  unset NIX_REMOTE
''
