# shellcheck as a command for builds: it needs the locale of the characters that it shows.
{ pkgs }:

let inherit (pkgs.buildPackages) debian shellcheck;
in "env LOCPATH=${debian.libc-bin}/lib/locale LC_ALL=C.UTF-8 ${shellcheck}/bin/shellcheck"
