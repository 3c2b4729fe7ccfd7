# Python and its modules under their nixpkgs names: `python3.withPackages (ps: [ ps.requests ])`.
{ lib, debian }:

let
  python = debian.package "python3";

  # Modules that Debian calls otherwise; all others are python3-<name>.
  names = {
    attrs = "python3-attr";
    beautifulsoup4 = "python3-bs4";
    dateutil = "python3-dateutil";
    distutils = "python3-distutils";
    dnspython = "python3-dnspython";
    flask-sqlalchemy = "python3-flask-sqlalchemy";
    gunicorn = "gunicorn";
    mysqlclient = "python3-mysqldb";
    opencv4 = "python3-opencv";
    pillow = "python3-pil";
    psycopg = "python3-psycopg";
    pyopenssl = "python3-openssl";
    pysocks = "python3-socks";
    python-dateutil = "python3-dateutil";
    python-dotenv = "python3-dotenv";
    python-slugify = "python3-slugify";
    pyyaml = "python3-yaml";
    pyzmq = "python3-zmq";
    scikit-learn = "python3-sklearn";
    tkinter = "python3-tk";
    uvicorn = "python3-uvicorn";
  };

  modules = lib.listToAttrs
    (map (name: lib.nameValuePair (lib.removePrefix "python3-" name) (debian.package name))
      (builtins.filter (lib.hasPrefix "python3-") debian.names));

  called = lib.mapAttrs (_: debian.package) (lib.filterAttrs (_: debian.has) names);

  packages = modules // called // {
    python = python3;
    python3 = python3;
    buildPythonPackage = _: throw source;
    buildPythonApplication = _: throw source;
  };

  source = "the offline package set has Python modules as Debian built them (python3.withPackages), and does not "
    + "build them from source; use stdenv.mkDerivation, or the real nixpkgs (--nixpkgs PATH)";

  python3 = python // rec {
    withPackages = choose: debian.pythonEnv (choose packages);
    buildEnv = throw "python3.buildEnv is not in the offline package set; use python3.withPackages";
    env = withPackages (_: [ ]);
    pkgs = packages;
    pythonVersion = lib.versions.majorMinor python.version;
    pythonAtLeast = lib.versionAtLeast python.version;
    pythonOlder = lib.versionOlder python.version;
    interpreter = "${python}/bin/python3";
    executable = "python3";
    libPrefix = "python${pythonVersion}";
    sitePackages = "lib/python3/dist-packages";
    isPy3k = true;
    isPyPy = false;
    implementation = "cpython";
    meta = python.meta // { mainProgram = "python3"; };
  };
in
python3
