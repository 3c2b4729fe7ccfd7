{ pkgs ? import <nixpkgs> { } }:

let
  greeter = pkgs.buildGoModule rec {
    pname = "greeter";
    version = "1.2.0";
    src = pkgs.lib.cleanSource ./.;
    vendorHash = null;
    env.CGO_ENABLED = 0;
    ldflags = [ "-s" "-w" "-X main.version=${version}" ];
    meta.mainProgram = "greeter";
  };
in
pkgs.dockerTools.streamLayeredImage {
  name = greeter.pname;
  tag = greeter.version;
  contents = [ pkgs.dockerTools.caCertificates ];
  config = {
    Entrypoint = [ (pkgs.lib.getExe greeter) ];
    Env = [ "PORT=8080" ];
    ExposedPorts."8080/tcp" = { };
    User = "65534:65534";
  };
}
