{ pkgs ? import <nixpkgs> { } }:

let
  fonts = pkgs.makeFontsConf { fontDirectories = [ pkgs.dejavu_fonts ]; };
  render = pkgs.writeShellApplication {
    name = "render";
    runtimeInputs = with pkgs; [ imagemagick ffmpeg-headless graphviz file coreutils ];
    text = ''
      cd /tmp
      convert -size 64x32 xc:white -font DejaVu-Sans -pointsize 12 -draw "text 2,20 'nix'" text.png
      file -b --mime-type text.png
      ffmpeg -v error -f lavfi -i testsrc=size=32x32:duration=1:rate=5 -y movie.gif
      file -b --mime-type movie.gif
      echo 'digraph { a -> b }' | dot -Tsvg | file -b --mime-type -
    '';
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "thumbnails";
  extraCommands = "mkdir -m 1777 tmp";
  config = {
    Cmd = [ "${render}/bin/render" ];
    Env = [ "FONTCONFIG_FILE=${fonts}" ];
  };
}
