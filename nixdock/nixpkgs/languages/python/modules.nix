# The modules of one Python, as a stage: `final: prev` as overlays of modules (packageOverrides) are.
{ lib, debian, builder, pkgs, python, pythonVersion, environment, flatten }:

final:

let
  inherit (import ./names.nix) names absent;

  module = name: debian.package name // { pythonModule = python; };

  modules = lib.listToAttrs
    (map (name: lib.nameValuePair (lib.removePrefix "python3-" name) (module name))
      (builtins.filter (lib.hasPrefix "python3-") debian.names));

  called = lib.mapAttrs (_: module) (lib.filterAttrs (_: debian.has) names);

  missing = lib.genAttrs absent (name: throw (
    "Debian's Python ${pythonVersion} has no module '${name}'; with a wheel of it as `src`, buildPythonPackage { format = \"wheel\"; … } "
    + "makes one, or take the real nixpkgs (--nixpkgs PATH)"));

  hooks = import ./hooks.nix { inherit lib pkgs debian python builder; packages = final; };
  build = import ./build.nix { inherit lib pkgs python pythonVersion environment flatten; packages = final; };
in
missing // modules // called // hooks // build // {
  inherit python;
  python3 = python;
  inherit (python) pythonAtLeast pythonOlder isPy3k isPyPy;
  callPackage = lib.callPackageWith (pkgs // final);
  newScope = extra: lib.callPackageWith (pkgs // final // extra);
  fetchPypi = pkgs.fetchPypi;
  hasPythonModule = package: package.pythonModule or false != false;
  # These modules and all that they need.
  requiredPythonModules = packages:
    let
      built = builtins.filter (package: package ? requiredPythonModules) (flatten packages);
      debs = builtins.filter (package: !(package ? requiredPythonModules)) (flatten packages);
    in
    lib.unique (built ++ lib.concatMap (package: final.requiredPythonModules package.requiredPythonModules) built
      ++ debian.modules "python3" (map (package: package.pname) debs));
  makePythonPath = packages: lib.makeSearchPath python.sitePackages (final.requiredPythonModules packages);
  disabledIf = condition: drv: if condition then throw "${drv.name} is not for Python ${pythonVersion}" else drv;
  overrideScope = change: (python.override (old: { packageOverrides = lib.composeExtensions old.packageOverrides change; })).pkgs;
  buildPythonModule = final.buildPythonPackage;
}
