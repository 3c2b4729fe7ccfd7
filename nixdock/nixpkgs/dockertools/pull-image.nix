# pullImage: an image of a registry, known by its digest, as an archive.
{ lib, pkgs, builder, lock, check, plainDerivation }:

let
  # skopeo with everything that it needs as one store path that nothing else has. What a fetch is made with must
  # not be in what it fetches, and an image that this set has built may hold any unit.
  fetchDeb = import ../debian/deb.nix;
  unitOf = name: (lock.get name).unit or name;
  units = map (one: one.key) (builtins.genericClosure {
    startSet = map (name: { key = unitOf name; }) [ "skopeo" "ca-certificates" ];
    operator = one: map (key: { inherit key; }) (lock.get one.key).needs;
  });
  packages = lib.unique (lib.concatMap (unit: [ unit ] ++ (lock.get unit).members or [ ]) units);
  skopeo = derivation {
    name = "builder-skopeo";
    inherit (pkgs.buildPlatform) system;
    builder = "${builder.bootstrap}/bin/busybox";
    args = [ "sh" "-eu" ./skopeo.sh ];
    debs = map (name: fetchDeb name (lock.get name)) packages;
    patchelf = "${builder.bootstrap}/bin/patchelf";
  };

  wanted = with check.shapes; {
    imageName = string;
    imageDigest = string;
    os = string;
    arch = string;
    variant = orNull string;
    finalImageName = string;
    finalImageTag = string;
    tlsVerify = bool;
    meta = set;
  };

  fetch = lib.fetchers.withNormalizedHash { } (check.called "pullImage" (
    { imageName
    , imageDigest
    , outputHash
    , outputHashAlgo
    , os ? "linux"
    , arch ? pkgs.stdenv.hostPlatform.go.GOARCH
    , variant ? null
    , finalImageName ? imageName
    , finalImageTag ? "latest"
      # Whether the registry must be reached by HTTPS, with a certificate.
    , tlsVerify ? true
    , name ? "docker-image-${lib.replaceStrings [ "/" ":" ] [ "-" "-" ] finalImageName}-${finalImageTag}.tar"
    , meta ? { }
    }@args:
    assert check.arguments "pullImage" wanted args;
    assert builtins.match "sha256:[0-9a-f]{64}" imageDigest != null
      || check.fault "pullImage of ${imageName}" args "imageDigest"
        "imageDigest must be \"sha256:\" and 64 hexadecimal digits, but it is \"${imageDigest}\"; `nix-prefetch-docker ${imageName} TAG` tells it";
    plainDerivation
      (attrs: derivation ({
        outputHashMode = "flat";
        inherit (pkgs.buildPlatform) system;
        builder = "${builder.bootstrap}/bin/busybox";
        args = [ "sh" "-eu" ./pull-image.sh ];
        impureEnvVars = lib.fetchers.proxyImpureEnvVars;
        preferLocalBuild = true;
      } // attrs))
      {
        inherit name outputHash outputHashAlgo imageName imageDigest skopeo os arch finalImageName finalImageTag meta;
        variant = if variant == null then "" else variant;
        tlsVerify = lib.boolToString tlsVerify;
        passthru = { inherit imageDigest; imageName = finalImageName; imageTag = finalImageTag; };
      }));
in
fetch
