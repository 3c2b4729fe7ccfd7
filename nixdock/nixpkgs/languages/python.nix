# Python and its modules under their nixpkgs names: `python3.withPackages (ps: [ ps.requests ])`.
#
# Debian's Python finds modules below its own prefix only: an environment has a prefix of its own, in which the
# modules' folders are linked together (debian/builders/python_env.py).
{ lib, debian, builder, pkgs }:

let
  unit = debian.package "python3";
  pythonVersion = lib.versions.majorMinor unit.version;

  # What an expression that asks for modules may give: lists in lists, and nulls.
  flatten = packages: builtins.filter (package: package != null) (lib.flatten packages);

  # `bin/python3` with modules, what those need, and their programs.
  environment = name: modules: builder.run {
    inherit name;
    package = ../debian/builders;
    module = "python_env";
    order = { python = unit; modules = map (package: "${package}") modules; };
  };

  make = { packageOverrides ? (_: _: { }), ... }:
    let
      scope = import ./python/modules.nix { inherit lib debian builder python pkgs pythonVersion environment flatten; };

      packages = lib.fix
        (lib.extends (lib.composeManyExtensions (pkgs.pythonPackagesExtensions ++ [ packageOverrides ])) scope);

      withPackages = choose: buildEnv.override { extraLibs = choose packages; };

      buildEnv = lib.makeOverridable (import ./python/environment.nix { inherit lib pkgs python environment flatten; }) { };

      python = unit // {
        inherit withPackages buildEnv pythonVersion packageOverrides;
        pkgs = packages;
        override = change: make ({ inherit packageOverrides; }
          // (if lib.isFunction change then change { inherit packageOverrides; } else change));
        env = withPackages (_: [ ]);
        pythonAtLeast = lib.versionAtLeast pythonVersion;
        pythonOlder = lib.versionOlder pythonVersion;
        interpreter = "${unit}/bin/python3";
        executable = "python${pythonVersion}";
        libPrefix = "python${pythonVersion}";
        sitePackages = "lib/python${pythonVersion}/site-packages";
        sourceVersion = { major = lib.versions.major unit.version; minor = lib.versions.minor unit.version; patch = lib.versions.patch unit.version; suffix = ""; };
        hasDistutilsCxxPatch = false;
        isPy2 = false;
        isPy27 = false;
        isPy3 = true;
        isPy3k = true;
        isPyPy = false;
        implementation = "cpython";
        pythonOnBuildForHost = python;
        meta = unit.meta // { mainProgram = "python3"; };
      } // lib.genAttrs (map (minor: "isPy3${toString minor}") (lib.range 5 16)) (name: name == "isPy${lib.replaceStrings [ "." ] [ "" ] pythonVersion}");
    in
    python;
in
make { }
