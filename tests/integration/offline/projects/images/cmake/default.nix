{ pkgs ? import <nixpkgs> { } }:

let
  counter = pkgs.stdenv.mkDerivation {
    name = "counter";
    src = ./.;
    nativeBuildInputs = with pkgs; [ cmake ninja ];
    buildInputs = [ pkgs.fmt ];
    cmakeFlags = [ (pkgs.lib.cmakeFeature "CMAKE_CXX_STANDARD" "17") ];
    doCheck = false;
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "counter";
  contents = [ counter ];
  config.Cmd = [ "counter" ];
}
