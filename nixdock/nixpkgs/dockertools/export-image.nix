# exportImage: the files of an image, all layers together, as one tar.
{ lib, pkgs, run, check }:

check.called "exportImage" (
  { fromImage
  , name ? fromImage.name
  , fromImageName ? null
  , fromImageTag ? null
    # Of the virtual machine that nixpkgs would use; there is none here.
  , diskSize ? 1024
  }@args:
  assert check.arguments "exportImage"
    (with check.shapes; { name = string; fromImage = stored; fromImageName = orNull string; fromImageTag = orNull string; diskSize = number; })
    # What is exported is a file of any name.
    (removeAttrs args [ "name" ]);
  assert check.base "exportImage" args;
  assert (fromImageName == null) == (fromImageTag == null)
    || check.fault "exportImage" args (if fromImageName == null then "fromImageTag" else "fromImageName")
      "fromImageName and fromImageTag choose an image together; give both or none";
  run {
    inherit name;
    module = "export_image";
    order = { fromImage = "${fromImage}"; inherit fromImageName fromImageTag; };
    path = [ pkgs.buildPackages.zstd ];
  }
)
