{ lib, stdenv, makeWrapper, hello, greeting ? "Hi" }:

stdenv.mkDerivation {
  pname = "greet";
  version = lib.fileContents ./VERSION;
  dontUnpack = true;
  nativeBuildInputs = [ makeWrapper ];
  installPhase = ''
    makeWrapper ${lib.getExe hello} $out/bin/greet --add-flags ${lib.escapeShellArg "--greeting='${greeting}'"}
  '';
  passthru = { inherit greeting; };
  meta.mainProgram = "greet";
}
