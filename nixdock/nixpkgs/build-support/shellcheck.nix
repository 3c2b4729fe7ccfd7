# shellcheck as a command for builds: it needs the locale of the characters that it shows.
{ pkgs }:

"env LOCPATH=${pkgs.debian.libc-bin}/lib/locale LC_ALL=C.UTF-8 ${pkgs.shellcheck}/bin/shellcheck"
