{ pkgs ? import <nixpkgs> { } }:

let
  ruby = pkgs.ruby.withPackages (ps: with ps; [ sinatra webrick ]);
in
pkgs.dockerTools.buildLayeredImage {
  name = "sinatra";
  contents = [ (pkgs.writeTextDir "app/app.rb" (builtins.readFile ./app.rb)) ];
  extraCommands = "mkdir -m 1777 tmp";
  config = {
    Cmd = [ "${ruby}/bin/ruby" "/app/app.rb" ];
    ExposedPorts."4567/tcp" = { };
  };
}
