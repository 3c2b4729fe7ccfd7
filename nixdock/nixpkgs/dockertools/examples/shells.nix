# Environments for building, as images.
{ pkgs }:

let
  inherit (pkgs) dockerTools stdenvNoCC;
  greeting = stdenvNoCC.mkDerivation {
    name = "greeting";
    nativeBuildInputs = [ pkgs.hello ];
    dontUnpack = true;
    text = "as a file";
    passAsFile = [ "text" ];
    installPhase = ''
      mkdir -p $out/bin
      ln -s ${pkgs.hello}/bin/hello $out/bin/hello
    '';
    shellHook = ''echo "This is the shell hook!"'';
  };
in
{
  shellBasic = dockerTools.streamNixShellImage {
    name = "shell-basic";
    tag = "latest";
    drv = greeting;
  };
  # Non-interactive: a script, and then the end.
  shellRun = dockerTools.streamNixShellImage {
    name = "shell-run";
    tag = "latest";
    drv = greeting;
    run = ''
      case "$-" in
        *i*) echo interactive ;;
        *) echo "not interactive" ;;
      esac
    '';
  };
  shellCommand = dockerTools.streamNixShellImage {
    name = "shell-command";
    tag = "latest";
    drv = greeting;
    command = ''
      case "$-" in
        *i*) echo interactive ;;
        *) echo "not interactive" ;;
      esac
    '';
  };
  shellInputs = dockerTools.streamNixShellImage {
    name = "shell-inputs";
    tag = "latest";
    drv = greeting;
    run = "hello";
  };
  shellPassAsFile = dockerTools.streamNixShellImage {
    name = "shell-pass-as-file";
    tag = "latest";
    drv = greeting;
    run = ''echo "$(<$textPath)"'';
  };
  shellBuild = dockerTools.streamNixShellImage {
    name = "shell-build";
    tag = "latest";
    drv = greeting;
    run = "buildDerivation > /dev/null && $out/bin/hello";
  };
  shellHome = dockerTools.streamNixShellImage {
    name = "shell-home";
    tag = "latest";
    drv = greeting;
    homeDirectory = "/home/builder";
    run = ''
      cd ~ && echo written > file && echo "$PWD $HOME $(<file)"
      [ "$(type -t runHook)" = function ]
    '';
  };
  shellNoHome = dockerTools.streamNixShellImage {
    name = "shell-no-home";
    tag = "latest";
    drv = greeting;
    homeDirectory = "/homeless-shelter";
    run = ''[ -e ~ ] || echo "$HOME is not there"'';
  };
  shellBuilt = dockerTools.buildNixShellImage {
    tag = "latest";
    drv = greeting;
    run = "hello";
  };
}
