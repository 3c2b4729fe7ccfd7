# Images whose files have owners, and commands that think they are root.
{ pkgs, examples }:

let
  inherit (pkgs) dockerTools buildEnv;
  tools = buildEnv {
    name = "image-root";
    paths = [ pkgs.bashInteractive pkgs.coreutils ];
    pathsToLink = [ "/bin" ];
  };
in
{
  # A service with a user of its own.
  redis = dockerTools.buildImage {
    name = "redis";
    tag = "latest";
    copyToRoot = buildEnv {
      name = "image-root";
      paths = [ pkgs.redis pkgs.coreutils ];
      pathsToLink = [ "/bin" ];
    };
    runAsRoot = ''
      #!${pkgs.runtimeShell}
      ${dockerTools.shadowSetup}
      groupadd -r redis
      useradd -r -g redis redis
      mkdir /data
      chown redis:redis /data
    '';
    config = {
      Cmd = [ "/bin/redis-server" ];
      WorkingDir = "/data";
      Volumes."/data" = { };
      User = "redis";
    };
  };

  # Commands of both kinds, and any file name.
  runAsRootExtraCommands = dockerTools.buildImage {
    name = "run-as-root-extra-commands";
    tag = "latest";
    copyToRoot = tools;
    runAsRoot = ''
      echo "(runAsRoot)" > /runAsRoot
      echo 'double " and single'"'" > "/odd 'name'"
    '';
    extraCommands = ''echo "(extraCommand)" > extraCommands'';
    config.Cmd = [ "/bin/bash" "-c" "cat /extraCommands /runAsRoot \"/odd 'name'\"" ];
  };

  # Layers are there, bottom first, before the commands run.
  layersUnpackOrder =
    let
      above = letter: image: dockerTools.buildImage {
        name = "layers-unpack-order-${letter}";
        tag = "latest";
        fromImage = image;
        copyToRoot = if image == null then tools else null;
        runAsRoot = ''
          #!${pkgs.runtimeShell}
          echo -n "${letter}" >> /layer-order
        '';
        config.Cmd = [ "/bin/cat" "/layer-order" ];
      };
    in
    above "c" (above "b" (above "a" null));

  # Each image's own file is seen through all that are above it.
  layersOrder =
    let
      above = number: image: dockerTools.buildImage {
        name = "layers-order-${toString number}";
        tag = "latest";
        fromImage = image;
        copyToRoot = if image == null then tools else null;
        extraCommands = ''
          mkdir -p tmp
          echo layer${toString number} > tmp/layer${toString number}
          echo ${toString number} > tmp/last
        '';
        config.Cmd = [ "/bin/bash" "-c" "cat /tmp/layer* /tmp/last" ];
      };
    in
    above 3 (above 2 (above 1 null));

  # What is removed from a base is not seen, though it is there.
  removed = dockerTools.buildImage {
    name = "removed";
    tag = "latest";
    fromImage = examples.layersOrder;
    runAsRoot = ''
      rm /tmp/layer2
      mkdir /tmp/new
      chmod 700 /tmp/new
    '';
    config.Cmd = [ "/bin/bash" "-c" "ls /tmp" ];
  };

  # A base that has the same layer more than once, as a link.
  repeatedLayers = dockerTools.buildImage {
    name = "repeated-layers";
    tag = "latest";
    fromImage = pkgs.runCommandLocal "base-of-repeated-layers.tar" { nativeBuildInputs = [ pkgs.jq ]; } ''
      mkdir image && cd image
      tar xf ${examples.bashUncompressed}
      layer=$(jq -r '.[0].Layers[0]' manifest.json)
      mkdir again && ln -s ../$layer again/layer.tar
      jq --arg first "$layer" '.[0].Layers = [$first, "again/layer.tar", $first]' manifest.json > new.json
      mv -f new.json manifest.json
      tar cf $out *
    '';
    runAsRoot = "echo repeated > /file";
    config.Cmd = [ "/bin/bash" "-c" "echo $(</file)" ];
  };

  # The layered images' way: commands as a fake root …
  fakeRootCommands = dockerTools.buildLayeredImage {
    name = "fake-root-commands";
    tag = "latest";
    contents = [ pkgs.coreutils ];
    fakeRootCommands = ''
      mkdir -p ./home/alice
      chown 1000 ./home/alice
    '';
    config.Cmd = [ "/bin/stat" "-c" "%u" "/home/alice" ];
  };
  # … which may put store paths into the image …
  fakeRootReferences = dockerTools.streamLayeredImage {
    name = "fake-root-references";
    tag = "latest";
    fakeRootCommands = ''
      mkdir -p bin
      ln -s ${pkgs.writeShellScript "special-hello" "exec ${pkgs.hello}/bin/hello -g special"} bin/special-hello
    '';
    config.Cmd = [ "/bin/special-hello" ];
  };
  # … or see the image as their root.
  fakechroot = dockerTools.streamLayeredImage {
    name = "fakechroot";
    tag = "latest";
    enableFakechroot = true;
    fakeRootCommands = ''
      mkdir /bin
      ln -s ${pkgs.hello}/bin/hello /bin/hello
    '';
    config.Cmd = [ "/bin/hello" ];
  };
  fakechrootOwner = dockerTools.streamLayeredImage {
    name = "fakechroot-owner";
    tag = "latest";
    contents = [ pkgs.coreutils ];
    enableFakechroot = true;
    fakeRootCommands = ''
      touch /testfile
      chown 12345:12345 /testfile
    '';
    config.Cmd = [ "/bin/stat" "-c" "%u:%g" "/testfile" ];
  };
  # Users by the programs that make them.
  shadow = dockerTools.buildLayeredImage {
    name = "shadow";
    tag = "latest";
    contents = [ pkgs.coreutils dockerTools.binSh ];
    enableFakechroot = true;
    fakeRootCommands = ''
      ${dockerTools.shadowSetup}
      groupadd -g 500 staff
      useradd -u 500 -g staff -m ann
    '';
    config.Cmd = [ "/bin/sh" "-c" "id ann; stat -c %U /home/ann" ];
  };

  # The store of the machine in place of the image's own.
  helloOnRoot = dockerTools.streamLayeredImage {
    name = "hello";
    tag = "latest";
    contents = [ (buildEnv { name = "hello-root"; paths = [ pkgs.hello ]; }) ];
    config.Cmd = [ "hello" ];
  };
  helloOnRootNoStore = dockerTools.streamLayeredImage {
    name = "hello-no-store";
    tag = "latest";
    contents = [ (buildEnv { name = "hello-root"; paths = [ pkgs.hello ]; }) ];
    config.Cmd = [ "hello" ];
    includeStorePaths = false;
  };
  helloOnRootNoStoreFakechroot = dockerTools.streamLayeredImage {
    name = "hello-no-store-fakechroot";
    tag = "latest";
    contents = [ (buildEnv { name = "hello-root"; paths = [ pkgs.hello ]; }) ];
    config.Cmd = [ "hello" ];
    includeStorePaths = false;
    enableFakechroot = true;
    fakeRootCommands = "mkdir -p /tmp";
  };
}
