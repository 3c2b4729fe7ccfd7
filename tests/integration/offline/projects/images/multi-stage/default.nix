{ pkgs ? import <nixpkgs> { } }:

with pkgs;

let
  base = dockerTools.buildImage {
    name = "base";
    tag = "1";
    copyToRoot = buildEnv {
      name = "base-root";
      paths = [ bash coreutils ];
      pathsToLink = [ "/bin" ];
    };
    config.Env = [ "PATH=/bin" "STAGE=base" ];
  };

  tools = dockerTools.buildLayeredImage {
    name = "tools";
    tag = "1";
    fromImage = base;
    contents = [ jq ];
  };
in
dockerTools.buildImage {
  name = "app";
  tag = "1";
  fromImage = tools;
  copyToRoot = [ ./root ];
  config = {
    Env = [ "STAGE=app" ];
    WorkingDir = "/etc/app";
    Cmd = [ "bash" "-c" "echo $STAGE; jq -r .name config.json; id -u" ];
  };
}
