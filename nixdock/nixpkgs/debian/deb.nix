# A Debian package as a file, which Nix fetches and verifies itself. Its store path follows from the
# content alone: another mirror gives the same one.
let
  version = import ./version.nix;
in
name: record:

derivation {
  # Debian's file names have characters that store paths may not have.
  name = "${name}-${version.legal record.version}.deb";
  builder = "builtin:fetchurl";
  system = "builtin";
  url = record.uri;
  urls = [ record.uri ];
  outputHashAlgo = "sha256";
  outputHashMode = "flat";
  outputHash = record.sha256;
  unpack = false;
  executable = false;
  preferLocalBuild = true;
  # No binary cache has any of this set; Nix would wait for one that cannot be reached.
  allowSubstitutes = false;
  # Where it comes from is the user's network, so that is how it is reached.
  impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
}
