{ pkgs ? import <nixpkgs> { } }:

let
  beep = pkgs.stdenv.mkDerivation {
    pname = "beep";
    version = "1.0";
    src = ./.;
    nativeBuildInputs = with pkgs; [ autoreconfHook pkg-config ];
    buildInputs = [ pkgs.ncurses ];
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "beep";
  config.Cmd = [ "${beep}/bin/beep" ];
}
