{ pkgs ? import <nixpkgs> { } }:

let
  jar = pkgs.stdenv.mkDerivation {
    pname = "hello-jar";
    version = "0.1";
    src = ./src;
    nativeBuildInputs = [ pkgs.jdk pkgs.makeWrapper ];
    buildPhase = ''
      runHook preBuild
      javac -d classes Main.java
      jar --create --file hello.jar --main-class Main -C classes .
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      install -D hello.jar $out/share/java/hello.jar
      makeWrapper ${pkgs.jre_headless}/bin/java $out/bin/hello --add-flags "-jar $out/share/java/hello.jar"
      runHook postInstall
    '';
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "hello-jar";
  tag = jar.version;
  config.Entrypoint = [ "${jar}/bin/hello" ];
}
