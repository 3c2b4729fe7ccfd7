{ pkgs ? import <nixpkgs> { } }:

let
  counter = pkgs.python3Packages.buildPythonApplication {
    pname = "counter";
    version = "2.0";
    pyproject = true;
    src = ./.;
    build-system = with pkgs.python3Packages; [ setuptools ];
    dependencies = with pkgs.python3Packages; [ click ];
    pythonImportsCheck = [ "counter" ];
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "counter";
  tag = counter.version;
  config = {
    Entrypoint = [ "${counter}/bin/count" ];
    Cmd = [ "3" ];
  };
}
