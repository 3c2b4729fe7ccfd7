# buildImage: one layer with copies of files, and all that they and the config refer to.
{ lib, pkgs, run, shell, underFakeroot, check, compressors, hashOf }:

let
  wanted = with check.shapes; {
    name = string;
    tag = orNull string;
    fromImage = orNull stored;
    fromImageName = orNull string;
    fromImageTag = orNull string;
    copyToRoot = contents;
    inherit contents;
    keepContentsDirlinks = bool;
    architecture = string;
    created = string;
    extraCommands = orNull text;
    uid = digits;
    gid = digits;
    runAsRoot = orNull text;
    diskSize = number;
    buildVMMemorySize = number;
    includeNixDB = bool;
    meta = set;
  };

  # `where` is the function that was called.
  make = where: lib.makeOverridable (check.called where (
    { name
      # The hash part of the output when null.
    , tag ? null
    , fromImage ? null
      # Which image of `fromImage`, where there are several; both or none.
    , fromImageName ? null
    , fromImageTag ? null
      # Folders whose contents become those of /.
    , copyToRoot ? null
    , keepContentsDirlinks ? false
      # As Docker's own: Cmd, Env, ExposedPorts…
    , config ? null
    , architecture ? pkgs.stdenv.hostPlatform.go.GOARCH
    , created ? "1970-01-01T00:00:01Z"
      # Shell text, run in the folder that becomes /.
    , extraCommands ? ""
      # Owner of what copyToRoot and extraCommands made.
    , uid ? 0
    , gid ? 0
      # Shell text, run as root in the image, on top of the base.
    , runAsRoot ? null
      # Of the virtual machine that nixpkgs would use; there is none here.
    , diskSize ? 1024
    , buildVMMemorySize ? 512
    , compressor ? "gz"
      # Whether the image has a Nix database of what copyToRoot holds.
    , includeNixDB ? false
    , meta ? { }
      # The old name of copyToRoot.
    , contents ? null
    }@args:
    let
      checked =
        check.arguments where wanted args
        && check.compressor where compressors args
        && check.base where args
        && (contents == null || copyToRoot == null
          || check.fault where args "contents" "contents is the old name of copyToRoot; give one of the two for \"${name}\"")
        && ((fromImageName == null) == (fromImageTag == null)
          || check.fault where args (if fromImageName == null then "fromImageTag" else "fromImageName")
            "fromImageName and fromImageTag choose an image together; give both or none");

      baseName = baseNameOf name;
      imageName = lib.toLower name;
      imageTag = if tag != null then tag else hashOf image;

      root =
        if contents != null then
          lib.warn "in ${where} of \"${name}\": the contents argument is called copyToRoot now, as it copies to the root" contents
        else
          copyToRoot;
      roots = builtins.filter (item: item != null) (lib.flatten root);
      commands = lib.optionalString includeNixDB (pkgs.dockerTools.nixDbCommands roots) + check.textOf extraCommands;

      layer = run {
        name = "docker-layer-${baseName}";
        module = "build_layer";
        order = {
          copyToRoot = map (item: "${item}") roots;
          inherit keepContentsDirlinks;
          uid = lib.toInt (toString uid);
          gid = lib.toInt (toString gid);
          runAsRoot = if runAsRoot == null then null else "${runAsRoot}";
          extraCommands = commands;
          fromImage = if runAsRoot == null || fromImage == null then null else "${fromImage}";
          shell = if commands == "" && runAsRoot == null then null else shell;
          image = {
            inherit architecture config created;
            os = "linux";
            preferLocalBuild = true;
          };
        };
        prefix = lib.optionals (runAsRoot != null) underFakeroot;
        path = lib.optional (runAsRoot != null && fromImage != null) pkgs.buildPackages.zstd;
      };

      image = run {
        name = "docker-image-${baseName}.tar${compressors.${compressor}.ext}";
        module = "build_image";
        order = {
          inherit imageName tag compressor fromImageName fromImageTag;
          fromImage = if fromImage == null then null else "${fromImage}";
          layer = "${layer}";
        };
        graphs.layer = [ layer ];
        path = compressors.${compressor}.packages
          # The base may be compressed by it, which cannot be known before it is there.
          ++ lib.optional (fromImage != null) pkgs.buildPackages.zstd;
        passthru = {
          inherit imageName imageTag layer fromImage;
          buildArgs = args;
          baseJson = pkgs.writeText "${baseName}-config.json" (builtins.toJSON { inherit architecture config created; os = "linux"; });
          layerClosure = pkgs.writeClosure [ layer ];
        };
        inherit meta;
      };
    in
    assert checked;
    image
  ));
in
make "buildImage" // { calledAs = make; }
