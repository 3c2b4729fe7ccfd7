# What nixpkgs' dockerTools shows of its insides, for expressions that use it.
{ lib, pkgs, builder, source, run, shell, busyboxCommand }:

let
  layer = args: run {
    name = "docker-layer-${args.name}";
    module = "build_layer";
    order = {
      copyToRoot = map (item: "${item}") (lib.toList (if args.copyToRoot or null == null then [ ] else args.copyToRoot));
      keepContentsDirlinks = args.keepContentsDirlinks or false;
      uid = args.uid or 0;
      gid = args.gid or 0;
      extraCommands = args.extraCommands or "";
      shell = if args.extraCommands or "" == "" then null else shell;
      image = builtins.fromJSON (builtins.readFile args.baseJson);
    };
  };
in
{
  # The layer of copied files alone: { name, baseJson, copyToRoot, keepContentsDirlinks, extraCommands, uid, gid }.
  mkPureLayer = layer;
  mkRootLayer = _: throw "mkRootLayer is a part of nixpkgs' own buildImage; use buildImage with runAsRoot";
  runWithOverlay = _: throw "runWithOverlay starts a virtual machine, which the offline package set does not have; use buildImage with runAsRoot";

  # Several packages as one tree of real files; of two in the same place the first wins.
  mergeDrvs = { derivations, onlyDeps ? false }:
    pkgs.runCommandLocal "merge-drvs" { inherit derivations; onlyDeps = lib.boolToString onlyDeps; } ''
      mkdir $out
      if [ "$onlyDeps" = true ]; then exit 0; fi
      for derivation in $derivations; do
        cp -dR --no-clobber --no-preserve=mode $derivation/. $out/
      done
    '';

  # Reads a tar, writes its checksum.
  tarsum = pkgs.writeTextFile {
    name = "tarsum";
    executable = true;
    destination = "/bin/tarsum";
    text = ''
      #!${builder.bootstrap}/bin/busybox sh
      exec ${lib.escapeShellArgs ([ "${builder.python}/bin/python3" ] ++ builder.command source "tarsum")} "$@"
    '';
  };
}
