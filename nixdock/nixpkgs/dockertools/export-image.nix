# exportImage: the files of an image, all layers together, as one tar.
{ lib, pkgs, run }:

{ fromImage
, name ? fromImage.name
, fromImageName ? null
, fromImageTag ? null
  # Of the virtual machine that nixpkgs would use; there is none here.
, diskSize ? 1024
}:
assert lib.assertMsg ((fromImageName == null) == (fromImageTag == null))
  "exportImage: fromImageName and fromImageTag choose an image together; give both or none";
run {
  inherit name;
  module = "export_image";
  order = { fromImage = "${fromImage}"; inherit fromImageName fromImageTag; };
  path = [ pkgs.buildPackages.zstd ];
}
