# mergeImages: a list of images as one archive.
{ lib, pkgs, check, run }:

images:
let
  checked = builtins.all
    (image: if !(lib.isDerivation image || builtins.isPath image || builtins.isString image) then
      throw "mergeImages takes a list of images, but one of it is ${check.kind image}"
    else !(image.isExe or false)
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
