# The public interface of flake-compat: `(import flake-compat { src = ./.; }).defaultNix` is the flake.
{ src, system ? builtins.currentSystem }:

let
  flake = builtins.getFlake (toString src);
  ofSystem = names: old:
    (flake.${names} or { }).${system}.default or (flake.${old} or { }).${system};
in
{
  defaultNix = flake // { default = ofSystem "packages" "defaultPackage"; };
  shellNix = flake // { default = ofSystem "devShells" "devShell"; };
}
