# Images of Python projects, each built from the sources beside this file.
{ pkgs ? import <nixpkgs> { } }:

let
  inherit (pkgs.python3Packages) buildPythonApplication buildPythonPackage;

  image = name: Cmd: pkgs.dockerTools.streamLayeredImage {
    name = "python-${name}";
    tag = "1";
    config = { inherit Cmd; };
  };

  app = buildPythonApplication {
    pname = "app";
    version = "1";
    format = "other";
    src = ./app;
    propagatedBuildInputs = with pkgs.python3Packages; [ pyyaml requests ];
    installPhase = "install -Dm755 app.py $out/bin/app";
    makeWrapperArgs = [ "--set" "GREETING" "hello" ];
  };

  legacy = buildPythonPackage {
    pname = "leg";
    version = "0.1";
    src = ./legacy;
  };

  greeter = buildPythonApplication {
    pname = "greeter";
    version = "1.2.0";
    pyproject = true;
    src = ./greeter;
    build-system = with pkgs.python3Packages; [ setuptools ];
    dependencies = with pkgs.python3Packages; [ flask click legacy ];
    pythonRelaxDeps = [ "flask" ];
    pythonRemoveDeps = [ "notthere" ];
    nativeCheckInputs = with pkgs.python3Packages; [ pytestCheckHook ];
    disabledTests = [ "test_network" ];
    pythonImportsCheck = [ "greeter" "greeter.main" ];
    meta.mainProgram = "greet";
  };

  backend = pname: src: build-system: buildPythonPackage {
    inherit pname src build-system;
    version = "1";
    pyproject = true;
    pythonImportsCheck = [ pname ];
  };
  backends = pkgs.python3.withPackages (ps: [
    (backend "hatched" ./backends/hatch [ ps.hatchling ])
    (backend "poetic" ./backends/poetry [ ps.poetry-core ])
    (backend "flitted" ./backends/flit [ ps.flit-core ])
    ps.gunicorn
  ]);

  # A module of its own in the place of one that Debian has.
  overridden = (pkgs.python3.override {
    packageOverrides = final: prev: {
      six = prev.buildPythonPackage {
        pname = "six";
        version = "99";
        format = "other";
        dontUnpack = true;
        installPhase = ''
          mkdir -p $out/${pkgs.python3.sitePackages}
          echo '__version__ = "99"' > $out/${pkgs.python3.sitePackages}/six.py
        '';
      };
    };
  }).pkgs;
  env = pkgs.python3.buildEnv.override {
    extraLibs = [ overridden.six pkgs.python3Packages.python-dateutil ];
    ignoreCollisions = true;
    makeWrapperArgs = [ "--set" "GREETING" "hello" ];
  };

  # A plain derivation: modules among its inputs bring those that they need along.
  plain = pkgs.stdenv.mkDerivation {
    name = "plain";
    dontUnpack = true;
    buildInputs = [ pkgs.python3Packages.flask ];
    nativeBuildInputs = [ pkgs.python3Packages.wrapPython ];
    pythonPath = [ pkgs.python3Packages.flask ];
    installPhase = ''
      python3 -c 'import flask'
      mkdir -p $out/bin
      printf '#!/usr/bin/env python3\nimport flask\nprint("plain", flask.__name__)\n' > $out/bin/plain
      chmod +x $out/bin/plain
    '';
    postFixup = "wrapPythonPrograms";
  };
in
{
  app = image "app" [ "${app}/bin/app" ];
  legacy = image "legacy" [ "${legacy}/bin/leg-script" ];
  greeter = image "greeter" [ (pkgs.lib.getExe greeter) ];
  backends = image "backends" [
    "${backends}/bin/python" "-c" "import hatched, poetic, flitted, gunicorn; print(hatched.name, poetic.name, flitted.name)"
  ];
  env = image "env" [
    "${env}/bin/python3" "-c" "import os, six, dateutil; print(six.__version__, dateutil.__name__, os.environ['GREETING'])"
  ];
  plain = image "plain" [ "${plain}/bin/plain" ];
}
