# mergeImages: a list of images as one archive.
{ lib, pkgs, run }:

images:
let
  checked = builtins.all
    (image: !(image.isExe or false)
      || throw "mergeImages takes archives, but ${image.name} is a script that streams one; use buildLayeredImage for it")
    images;
in
assert lib.assertMsg (builtins.isList images && images != [ ]) "mergeImages takes a list of at least one image";
assert checked;
run {
  name = "merge-docker-images";
  module = "merge_images";
  order.images = map (image: "${image}") images;
  path = [ pkgs.buildPackages.pigz pkgs.buildPackages.zstd ];
}
