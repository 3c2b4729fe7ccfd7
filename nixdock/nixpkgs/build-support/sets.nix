# Functions over the set itself.
{ lib, pkgs }:

{
  callPackage = lib.callPackageWith pkgs;
  callPackages = lib.callPackagesWith pkgs;
  newScope = extra: lib.callPackageWith (pkgs // extra);
  inherit (lib) makeScope makeOverridable makeScopeWithSplicing makeScopeWithSplicing' recurseIntoAttrs dontRecurseIntoAttrs;
  # Packages of two machines at once are told apart by name here.
  splicePackages = { pkgsHostTarget ? { }, ... }: pkgsHostTarget;
  inherit pkgs;
  path = ../.;
}
