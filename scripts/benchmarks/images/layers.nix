# An image of small layers, as many as are asked for.
{
  pkgs ? import <nixpkgs> { },
  count,
}:
let
  number = builtins.fromJSON count;
in
pkgs.dockerTools.streamLayeredImage {
  name = "layers-${count}";
  maxLayers = number;
  config = {
    Cmd = [
      "${pkgs.pkgsStatic.busybox or pkgs.busybox}/bin/busybox"
      "true"
    ];
    Labels.paths = toString (builtins.genList (part: pkgs.writeText "part-${toString part}" "") number);
  };
}
