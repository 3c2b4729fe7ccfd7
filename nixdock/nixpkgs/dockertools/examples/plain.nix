# buildImage: one layer, with copies of files.
{ pkgs, examples }:

let
  inherit (pkgs) dockerTools buildEnv;
  bashRoot = buildEnv {
    name = "image-root";
    paths = [ pkgs.bashInteractive ];
    pathsToLink = [ "/bin" ];
  };
in
{
  # A shell, and nothing else.
  bash = dockerTools.buildImage {
    name = "bash";
    tag = "latest";
    copyToRoot = bashRoot;
  };

  # Without a tag an image is tagged with the hash of its own store path.
  bashNoTag = dockerTools.buildImage {
    name = "bash-no-tag";
    copyToRoot = bashRoot;
  };

  # Compression is for the file alone; the image is the same.
  bashUncompressed = dockerTools.buildImage {
    name = "bash-uncompressed";
    tag = "latest";
    compressor = "none";
    copyToRoot = bashRoot;
  };
  bashZstdCompressed = dockerTools.buildImage {
    name = "bash-zstd";
    tag = "latest";
    compressor = "zstd";
    copyToRoot = bashRoot;
  };

  # What root of the image runs or looks like is up to shell text.
  extraCommands = dockerTools.buildImage {
    name = "extra-commands";
    tag = "latest";
    copyToRoot = buildEnv {
      name = "image-root";
      paths = [ pkgs.coreutils ];
      pathsToLink = [ "/bin" ];
    };
    extraCommands = ''
      mkdir -p data "with 'quotes' and spaces"
      echo "written by extraCommands" > data/note
      chmod 1777 data
    '';
    config = {
      Cmd = [ "/bin/cat" "/data/note" ];
      WorkingDir = "/data";
    };
  };

  # The files' owner.
  owned = dockerTools.buildImage {
    name = "owned";
    tag = "latest";
    uid = 1000;
    gid = 100;
    copyToRoot = buildEnv {
      name = "image-root";
      paths = [ pkgs.coreutils ];
      pathsToLink = [ "/bin" ];
    };
    extraCommands = "mkdir home; echo mine > home/file";
    config.Cmd = [ "/bin/stat" "-c" "%u:%g" "/home/file" ];
  };

  # A folder beside the expression.
  withPath = dockerTools.buildImage {
    name = "with-path";
    tag = "latest";
    copyToRoot = [ bashRoot ./files ];
    config.Cmd = [ "/bin/bash" "-c" "echo $(</hello.txt)" ];
  };

  # The environment of a base goes on, and its variables may be set anew.
  environmentParent = dockerTools.buildImage {
    name = "environment-parent";
    tag = "latest";
    copyToRoot = buildEnv {
      name = "image-root";
      paths = [ pkgs.coreutils ];
      pathsToLink = [ "/bin" ];
    };
    config.Env = [ "FROM_PARENT=true" "LAST_LAYER=parent" ];
  };
  environment = dockerTools.buildImage {
    name = "environment";
    tag = "latest";
    fromImage = examples.environmentParent;
    config = {
      Env = [ "FROM_CHILD=true" "LAST_LAYER=child" ];
      Cmd = [ "/bin/env" ];
    };
  };

  # When the image says that it was made. The default makes it the same image whenever it is built.
  createdNow = dockerTools.buildImage {
    name = "created-now";
    tag = "latest";
    created = "now";
    config.Cmd = [ "${pkgs.hello}/bin/hello" ];
  };

  # The architecture is what the image says; what is in it is up to you.
  otherArchitecture = dockerTools.buildImage {
    name = "other-architecture";
    tag = "latest";
    architecture = "arm64";
    copyToRoot = ./files;
  };

  # A name may hold a registry and a path.
  prefixed = dockerTools.buildImage {
    name = "registry.example.org/image";
    tag = "latest";
    config.Cmd = [ "${pkgs.hello}/bin/hello" ];
  };

  # Which links to folders stay links: here /lib64 leads to the /lib that a later content fills.
  keptLinks = dockerTools.buildImage {
    name = "kept-links";
    tag = "latest";
    keepContentsDirlinks = true;
    copyToRoot = [
      (pkgs.runCommandLocal "links" { } "mkdir -p $out/lib; ln -s lib $out/lib64")
      (pkgs.runCommandLocal "more" { } "mkdir -p $out/lib64; echo found > $out/lib64/file")
      (buildEnv { name = "image-root"; paths = [ pkgs.coreutils ]; pathsToLink = [ "/bin" ]; })
    ];
    config.Cmd = [ "/bin/cat" "/lib/file" ];
  };

  # The files that many programs expect of a system.
  helpers = dockerTools.buildImage {
    name = "helpers";
    tag = "latest";
    copyToRoot = [
      dockerTools.binSh
      dockerTools.usrBinEnv
      dockerTools.caCertificates
      (dockerTools.fakeNss.override {
        extraPasswdLines = [ "ann:x:1000:1000:Ann:/home/ann:/bin/sh" ];
        extraGroupLines = [ "ann:x:1000:" ];
      })
      (buildEnv { name = "image-root"; paths = [ pkgs.coreutils ]; pathsToLink = [ "/bin" ]; })
    ];
    config.Cmd = [ "/bin/sh" "-c" "id -un 1000; /usr/bin/env head -n1 /etc/ssl/certs/ca-certificates.crt" ];
  };
}
