# streamLayeredImage: an executable that writes the image; its store paths are in many layers.
{ lib, pkgs, builder, source, run, shell, underFakeroot, check, hashOf }:

let
  wanted = with check.shapes; {
    name = string;
    tag = orNull string;
    fromImage = orNull stored;
    inherit contents;
    architecture = string;
    created = string;
    mtime = string;
    uid = digits;
    gid = digits;
    uname = string;
    gname = string;
    maxLayers = number;
    extraCommands = orNull text;
    fakeRootCommands = orNull text;
    enableFakechroot = bool;
    includeStorePaths = bool;
    includeNixDB = bool;
    passthru = set;
    meta = set;
    layeringPipeline = orNull pipeline;
    debug = bool;
  };

  # `where` is the function that was called: those that are made of this one are named themselves.
  make = where: lib.makeOverridable (check.called where (
    { name
      # The hash part of the conf when null.
    , tag ? null
    , fromImage ? null
      # Packages whose files are linked to from /.
    , contents ? [ ]
    , config ? { }
    , architecture ? pkgs.stdenv.hostPlatform.go.GOARCH
    , created ? "1970-01-01T00:00:01Z"
      # The time of the store paths' files.
    , mtime ? "1970-01-01T00:00:01Z"
      # The owner of the store paths' files.
    , uid ? 0
    , gid ? 0
    , uname ? "root"
    , gname ? "root"
      # As many as start fast when null.
    , maxLayers ? null
      # Shell text, run in the folder that becomes /.
    , extraCommands ? ""
      # The same, as a fake root; with enableFakechroot the folder is its /.
    , fakeRootCommands ? ""
    , enableFakechroot ? false
    , includeStorePaths ? true
    , includeNixDB ? false
    , passthru ? { }
    , meta ? { }
      # A list of operations in place of the layering that is the default: by stability, with what is edited on top.
    , layeringPipeline ? null
      # Tells the layers in the build's log.
    , debug ? false
    }@args:
    let
      checked =
        check.arguments where wanted args
        && check.base where args
        && (layeringPipeline != null || maxLayers == null || maxLayers > 1
          || check.fault where args "maxLayers" "maxLayers must be greater than 1, as one layer is for the image's own files, but for \"${name}\" it is ${toString maxLayers}");

      baseName = baseNameOf name;
      imageName = lib.toLower name;
      imageTag = if tag != null then tag else hashOf conf;
      contentsList = builtins.filter (item: item != null) (lib.flatten contents);
      isRoot = fakeRootText != "";
      fakeRootText = check.textOf fakeRootCommands;
      commands = lib.optionalString includeNixDB (pkgs.dockerTools.nixDbCommands contentsList) + check.textOf extraCommands;

      base = pkgs.writeText "${baseName}-base.json" (builtins.toJSON { inherit architecture config; os = "linux"; });

      customisation = run {
        name = "${baseName}-customisation-layer";
        module = "build_customisation";
        order = {
          contents = if contentsList == [ ] then null else pkgs.symlinkJoin {
            name = "${baseName}-contents";
            paths = map (item: "${item}") contentsList;
          };
          extraCommands = commands;
          fakeRootCommands = fakeRootText;
          inherit enableFakechroot;
          shell = if commands == "" && !isRoot then null else shell;
        };
        prefix = lib.optionals isRoot underFakeroot;
      };

      conf = run {
        name = "${baseName}-conf.json";
        module = "make_conf";
        order = {
          inherit imageName tag architecture config created mtime uid gid uname gname maxLayers debug;
          fromImage = if fromImage == null then null else "${fromImage}";
          base = "${base}";
          customisation = "${customisation}";
          layeringPipeline =
            if layeringPipeline == null || builtins.isList layeringPipeline then layeringPipeline
            else "${layeringPipeline}";
        };
        graphs = lib.optionalAttrs includeStorePaths { closure = [ base customisation ]; };
        path = lib.optional (fromImage != null) pkgs.buildPackages.zstd;
        passthru = { inherit imageName imageTag; customisationLayer = customisation; };
      };

      # The same program for all images.
      streamScript = pkgs.buildPackages.writeTextFile {
        name = "stream";
        executable = true;
        text = ''
          #!${builder.bootstrap}/bin/busybox sh
          exec ${lib.escapeShellArgs ([ "${builder.python}/bin/python3" ] ++ builder.command source "stream_image")} "$@"
        '';
      };
    in
    assert checked;
    pkgs.writeTextFile {
      name = "stream-${baseName}";
      executable = true;
      text = ''
        #!${builder.bootstrap}/bin/busybox sh
      ''
      # A base may be compressed by zstd, which Python does not read itself.
      + lib.optionalString (fromImage != null) ''
        export PATH="${pkgs.buildPackages.zstd}/bin:$PATH"
      ''
      + ''
        exec "${streamScript}" ${conf} "$@"
      '';
      inherit meta;
      passthru = passthru // {
        inherit imageName imageTag conf;
        inherit streamScript;
        isExe = true;
      };
    }
  ));
in
make "streamLayeredImage" // { calledAs = make; }
