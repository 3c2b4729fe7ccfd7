# Images on images, and several at once.
{ pkgs, examples }:

let
  inherit (pkgs) dockerTools;
in
{
  onLayered = dockerTools.buildImage {
    name = "on-layered";
    tag = "latest";
    fromImage = examples.layered;
    config.Cmd = [ "/bin/cat" "/extra-file" ];
  };
  layeredOnLayered = dockerTools.buildLayeredImage {
    name = "layered-on-layered";
    tag = "latest";
    fromImage = examples.layered;
    contents = [ pkgs.coreutils ];
    config.Cmd = [ "/bin/cat" "/extra-file" ];
  };

  # The first of the images of an archive, or one by its name.
  fromMerged = dockerTools.buildImage {
    name = "from-merged";
    tag = "latest";
    fromImage = examples.mergedBashAndRedis;
    fromImageName = "redis";
    fromImageTag = "latest";
    config.Cmd = [ "/bin/redis-server" "--version" ];
  };

  mergedBashAndRedis = dockerTools.mergeImages [ examples.bash examples.redis ];
  mergedBashNoTagAndRedis = dockerTools.mergeImages [ examples.bashNoTag examples.redis ];
  mergedOwner = dockerTools.mergeImages [ examples.bash examples.fakeRootCommands ];
  mergedCompressors = dockerTools.mergeImages [
    examples.bashZstdCompressed
    examples.bashUncompressed
    examples.bash
  ];

  # The files of an image, without the image.
  exported = dockerTools.exportImage {
    name = "exported.tar";
    fromImage = examples.removed;
  };

  # The same for another architecture, cross-built.
  cross = dockerTools.buildImage {
    name = "hello-cross";
    tag = "latest";
    architecture = pkgs.pkgsCross.aarch64-multiplatform.stdenv.hostPlatform.go.GOARCH;
    copyToRoot = pkgs.buildEnv {
      name = "image-root";
      paths = [ pkgs.pkgsCross.aarch64-multiplatform.hello ];
      pathsToLink = [ "/bin" ];
    };
    config.Cmd = [ "/bin/hello" ];
  };
}
