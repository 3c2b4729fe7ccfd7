# An image with a directory of many files.
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.dockerTools.streamLayeredImage {
  name = "tree";
  config.Labels.tree = "${./tree}";
}
