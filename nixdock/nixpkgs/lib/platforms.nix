# Lists of systems, for `meta.platforms`.
{ lib }:

let
  known = lib.systems.doubles;
in
{
  inherit (known) all linux darwin unix x86 x86_64 aarch64 arm none;
  gnu = known.linux;
}
