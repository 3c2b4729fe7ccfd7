{ pkgs ? import <nixpkgs> { } }:

let
  python = pkgs.python3.withPackages (ps: with ps; [ flask requests ]);
  app = pkgs.stdenv.mkDerivation {
    pname = "health";
    version = "1.0";
    src = ./app.py;
    dontUnpack = true;
    installPhase = ''
      install -Dm644 $src $out/app/app.py
    '';
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "flask-health";
  contents = [ python app pkgs.cacert ];
  config = {
    Cmd = [ "${python}/bin/python" "/app/app.py" ];
    Env = [ "PYTHONUNBUFFERED=1" "SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt" ];
    ExposedPorts = { "5000/tcp" = { }; };
    WorkingDir = "/app";
  };
}
