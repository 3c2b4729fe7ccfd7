# dockerTools: images of what a set has, without docker and without a virtual machine.
{ lib, builder, lock, pkgs }:

let
  check = import ./check.nix { inherit lib; };

  runPython = import ../build-support/python-builder.nix {
    inherit lib builder;
    inherit (pkgs.buildPlatform) system;
  };
  source = import ../build-support/python-source.nix { inherit lib; } ./.;
  # A derivation that runs a module of this folder.
  run = args: runPython ({ inherit source; } // args);

  # Where a user's commands run; only images that have such need it. Those that are run as a fake root are
  # run by a builder that fakeroot starts.
  shell = {
    bash = pkgs.stdenvNoCC.shell;
    stdenv = "${pkgs.stdenvNoCC}";
    path = map toString pkgs.stdenvNoCC.initialPath;
  };
  underFakeroot = [ "${builder.bootstrap}/bin/busybox" "sh" ./under-fakeroot.sh "${pkgs.buildPackages.fakeroot}" ];

  compressors = {
    none = { ext = ""; packages = [ ]; command = "cat"; };
    # One thread alone gives other bytes than several do, so there are always several.
    gz = { ext = ".gz"; packages = [ pkgs.buildPackages.pigz ]; command = "pigz -nTR -p$((NIX_BUILD_CORES > 2 ? NIX_BUILD_CORES : 2))"; };
    zstd = { ext = ".zst"; packages = [ pkgs.buildPackages.zstd ]; command = "zstd -q -T$((NIX_BUILD_CORES > 2 ? NIX_BUILD_CORES : 2))"; };
  };

  # What tells one output from another, as text.
  hashOf = drv: builtins.head (lib.splitString "-" (baseNameOf (builtins.unsafeDiscardStringContext drv.outPath)));

  busyboxCommand = import ../build-support/busybox-command.nix {
    inherit lib builder;
    inherit (pkgs.buildPlatform) system;
  };

  plainDerivation = import ../build-support/plain-derivation.nix { inherit lib; };

  # What a script streams, as a file.
  compress = { name, script, compressor, meta ? { }, passthru ? { } }:
    let kind = compressors.${compressor};
    in
    plainDerivation
      (attrs: derivation ({
        inherit (pkgs.buildPlatform) system;
        builder = "${builder.bootstrap}/bin/busybox";
        args = [ "sh" "-e" "-o" "pipefail" "-c" "\"$stream\" | ${kind.command} > $out" ];
        PATH = "${lib.makeBinPath kind.packages}:${builder.bootstrap}/bin";
        preferLocalBuild = true;
        allowSubstitutes = false;
      } // attrs))
      {
        name = "${name}.tar${kind.ext}";
        stream = script;
        inherit meta;
        passthru = { inherit (script) imageName imageTag; } // passthru;
      };

  # A function of images under the name of the one that was called, for what it says of its arguments.
  as = where: function: if function ? calledAs then function.calledAs where else function;

  parts = { inherit lib pkgs builder lock source run shell underFakeroot busyboxCommand check as compress compressors hashOf plainDerivation; };
  part = file: more:
    let f = import file;
    in f (builtins.intersectAttrs (builtins.functionArgs f) (parts // more));
in
lib.makeExtensible (self: {
  buildImage = part ./build-image.nix { };
  streamLayeredImage = part ./stream-layered-image.nix { };
  buildLayeredImage = part ./build-layered-image.nix { stream = self.streamLayeredImage; };

  # The same, with a Nix database of what the contents need.
  buildImageWithNixDb = args: as "buildImageWithNixDb" self.buildImage (args // { includeNixDB = true; });
  buildLayeredImageWithNixDb = args:
    as "buildLayeredImageWithNixDb" self.buildLayeredImage (args // { includeNixDB = true; });
  nixDbCommands = part ./nix-db.nix { };

  streamNixShellImage = part ./nix-shell-image.nix { stream = self.streamLayeredImage; };
  buildNixShellImage = { drv, compressor ? "gz", ... }@args:
    assert check.compressor "buildNixShellImage" compressors args;
    assert check.drv "buildNixShellImage" args;
    compress {
      name = "${drv.name}-env";
      script = as "buildNixShellImage" self.streamNixShellImage (removeAttrs args [ "compressor" ]);
      inherit compressor;
    };

  pullImage = part ./pull-image.nix { };
  exportImage = part ./export-image.nix { };
  mergeImages = part ./merge-images.nix { };

  inherit (part ./helpers.nix { }) fakeNss usrBinEnv binSh caCertificates shadowSetup shellScript;
  examples = import ./examples { inherit pkgs; };
  # nixpkgs' tests are NixOS machines with a Docker in them.
  tests = lib.genAttrs [ "docker-tools" "docker-tools-overlay" "docker-tools-cross" ] (name: pkgs.nixosTests.${name});
  inherit (part ./internals.nix { }) mergeDrvs mkPureLayer mkRootLayer runWithOverlay tarsum;
})
