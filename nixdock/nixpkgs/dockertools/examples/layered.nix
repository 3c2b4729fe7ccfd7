# buildLayeredImage and streamLayeredImage: the store paths that images share are layers that they share.
{ pkgs, examples }:

let
  inherit (pkgs) dockerTools lib;
in
{
  layered = dockerTools.buildLayeredImage {
    name = "layered";
    tag = "latest";
    contents = [ pkgs.hello pkgs.bash pkgs.coreutils ];
    extraCommands = "echo layered > extra-file";
    config.Cmd = [ "/bin/hello" ];
  };
  # Shares its lower layers with the one above.
  layeredOther = dockerTools.buildLayeredImage {
    name = "layered-other";
    tag = "latest";
    contents = [ pkgs.bash pkgs.coreutils ];
    config.Cmd = [ "/bin/bash" "-c" "echo other" ];
  };

  # A script that writes the image: nothing of it is in the store twice.
  streamed = dockerTools.streamLayeredImage {
    name = "streamed";
    tag = "latest";
    contents = [ pkgs.hello ];
    config.Cmd = [ "/bin/hello" ];
  };

  bashNoTagLayered = dockerTools.buildLayeredImage {
    name = "bash-no-tag-layered";
    contents = [ pkgs.bash ];
  };
  bashNoTagStreamed = dockerTools.streamLayeredImage {
    name = "bash-no-tag-streamed";
    contents = [ pkgs.bash ];
  };
  bashLayeredUncompressed = dockerTools.buildLayeredImage {
    name = "bash-layered-uncompressed";
    tag = "latest";
    compressor = "none";
    contents = [ pkgs.bash ];
  };
  bashLayeredZstdCompressed = dockerTools.buildLayeredImage {
    name = "bash-layered-zstd";
    tag = "latest";
    compressor = "zstd";
    contents = [ pkgs.bash ];
  };

  # Another user than root.
  layeredUser = dockerTools.buildLayeredImage {
    name = "layered-user";
    tag = "latest";
    contents = [
      pkgs.bash
      pkgs.coreutils
      (dockerTools.fakeNss.override { extraPasswdLines = [ "somebody:x:1000:1000::/:/bin/sh" ]; })
    ];
    config.User = "somebody";
    config.Cmd = [ "/bin/bash" "-c" "id -un; stat -c '%a %n' /nix /nix/store" ];
  };

  # As few layers as one likes: what does not fit shares the last one.
  twoLayers = dockerTools.buildLayeredImage {
    name = "two-layers";
    tag = "latest";
    contents = [ pkgs.hello pkgs.bash pkgs.coreutils ];
    maxLayers = 2;
    config.Cmd = [ "/bin/hello" ];
  };
  fourLayers = dockerTools.buildLayeredImage {
    name = "four-layers";
    tag = "latest";
    fromImage = examples.twoLayers;
    contents = [ pkgs.jq pkgs.hello ];
    maxLayers = 4;
    config.Cmd = [ "/bin/jq" "-n" "40+2" ];
  };

  # The layers by hand: one for what jq and bash need, one for all else.
  pipeline = dockerTools.streamLayeredImage {
    name = "pipeline";
    tag = "latest";
    contents = [ pkgs.jq pkgs.bash ];
    layeringPipeline = [
      [ "subcomponent_out" [ "${pkgs.jq}" ] ]
      [ "over" "main" [ "pipe" [ [ "popularity_contest" ] [ "limit_layers" 2 ] ] ] ]
      [ "flatten" ]
    ];
    config.Cmd = [ "/bin/jq" "-n" "1+1" ];
  };

  # Only what the config and the files refer to is in an image: here a static program, and nothing else.
  minimal = dockerTools.buildLayeredImage {
    name = "minimal";
    tag = "latest";
    extraCommands = ''
      mkdir -p bin
      cp ${pkgs.busybox}/bin/busybox bin/busybox
      chmod +w bin/busybox
    '';
    config.Cmd = [ "/bin/busybox" "ls" "/" ];
  };

  # A store path that is itself a link stays one.
  storeLink =
    let
      target = pkgs.writeTextDir "dir/target" "Content doesn't matter.";
      link = pkgs.runCommandLocal "store-link" { } "ln -s ${target} $out";
    in
    dockerTools.buildLayeredImage {
      name = "store-link";
      tag = "latest";
      contents = [ pkgs.bash pkgs.coreutils link ];
      config.Cmd = [ "/bin/bash" "-c" "readlink ${link} && cat ${link}/dir/target" ];
    };

  # Nothing that a builder writes is touched: hashes of all files still hold.
  contentsUnchanged = dockerTools.buildLayeredImageWithNixDb {
    name = "contents-unchanged";
    tag = "latest";
    contents = [
      pkgs.bash
      pkgs.nix
      (pkgs.writeShellScriptBin "print-data" "echo some data")
    ];
    fakeRootCommands = "chown -R 1000 .";
    config.Cmd = [ "/bin/print-data" ];
    config.Env = [ "USER=nobody" ];
  };

  createdNowLayered = dockerTools.buildLayeredImage {
    name = "created-now-layered";
    tag = "latest";
    created = "now";
    contents = [ pkgs.hello ];
  };
  prefixedLayered = dockerTools.buildLayeredImage {
    name = "registry.example.org/layered";
    tag = "latest";
    config.Cmd = [ "${pkgs.hello}/bin/hello" ];
  };
  withPathLayered = dockerTools.buildLayeredImage {
    name = "with-path-layered";
    tag = "latest";
    contents = [ pkgs.bash ./files ];
    config.Cmd = [ "/bin/bash" "-c" "echo $(</hello.txt)" ];
  };
  otherArchitectureLayered = dockerTools.streamLayeredImage {
    name = "other-architecture-layered";
    tag = "latest";
    architecture = "arm64";
    contents = [ ./files ];
  };
  environmentLayered = dockerTools.buildLayeredImage {
    name = "environment-layered";
    tag = "latest";
    fromImage = examples.environmentParent;
    contents = [ pkgs.coreutils ];
    config = {
      Env = [ "FROM_CHILD=true" "LAST_LAYER=child" ];
      Cmd = [ "/bin/env" ];
    };
  };
  certificates = dockerTools.buildLayeredImage {
    name = "certificates";
    tag = "latest";
    contents = [ pkgs.coreutils dockerTools.caCertificates ];
    config.Cmd = [
      "/bin/head" "-qn1"
      "/etc/ssl/certs/ca-bundle.crt" "/etc/ssl/certs/ca-certificates.crt" "/etc/pki/tls/certs/ca-bundle.crt"
    ];
  };

  # The owner of the store paths' files.
  nonRootOwner = dockerTools.streamLayeredImage {
    name = "non-root-owner";
    tag = "latest";
    uid = 1000;
    gid = 1000;
    uname = "user";
    gname = "user";
    contents = [ pkgs.coreutils ];
    config.Cmd = [ "/bin/stat" "-c" "%u:%g" "/nix/store" "${pkgs.coreutils}/bin/stat" ];
  };

  # A web server: its port answers with a page.
  nginx =
    let
      port = "8000";
      page = pkgs.writeTextDir "index.html" "<html><body><h1>Hello from nginx</h1></body></html>\n";
      configuration = pkgs.writeText "nginx.conf" ''
        user nobody nobody;
        daemon off;
        error_log /dev/stdout info;
        pid /dev/null;
        events { }
        http {
          access_log /dev/stdout;
          server {
            listen ${port};
            index index.html;
            location / { root ${page}; }
          }
        }
      '';
    in
    dockerTools.buildLayeredImage {
      name = "nginx";
      tag = "latest";
      contents = [ dockerTools.fakeNss pkgs.nginx ];
      extraCommands = "mkdir -p tmp var/log/nginx var/cache/nginx var/lib/nginx";
      config = {
        Cmd = [ "nginx" "-c" configuration ];
        ExposedPorts."${port}/tcp" = { };
      };
    };
}
