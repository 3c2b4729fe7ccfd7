{ pkgs ? import <nixpkgs> { }, tag ? "latest" }:

let
  app = pkgs.stdenv.mkDerivation {
    name = "node-app";
    src = pkgs.lib.sourceFilesBySuffices ./. [ ".js" ];
    nativeBuildInputs = [ pkgs.makeWrapper ];
    installPhase = ''
      mkdir -p $out/lib $out/bin
      cp server.js $out/lib/
      makeWrapper ${pkgs.nodejs}/bin/node $out/bin/node-app --add-flags $out/lib/server.js
    '';
  };
in
pkgs.dockerTools.buildImage {
  inherit tag;
  name = "node-app";
  config = {
    Cmd = [ "${app}/bin/node-app" ];
    Env = [ "PORT=3000" "NODE_ENV=production" ];
    ExposedPorts."3000/tcp" = { };
  };
}
