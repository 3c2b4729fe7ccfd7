# Fetchers. One file is fetched by Nix itself; for all else the offline set has no programs, and says so.
{ lib, pkgs }:

let
  missing = name: what: _args:
    throw "${name} fetches ${what}, which the offline package set cannot do; use a local path as `src`, or the real nixpkgs (--nixpkgs PATH)";
  fetchurl = lib.fetchers.withNormalizedHash { hashTypes = [ "sha256" "sha512" "sha1" "md5" ]; } (
    { url ? ""
    , urls ? [ url ]
    , name ? baseNameOf (builtins.head urls)
    , outputHash
    , outputHashAlgo
    , executable ? false
    , meta ? { }
    , passthru ? { }
    }:
    let
      first = builtins.head urls;
    in
    if lib.hasPrefix "mirror://" first then
      throw "fetchurl of ${first}: the offline package set knows no mirrors; give the whole URL"
    else
      lib.extendDerivation true (passthru // { inherit meta; }) (derivation {
        inherit urls executable outputHash outputHashAlgo;
        name = lib.strings.sanitizeDerivationName name;
        url = first;
        builder = "builtin:fetchurl";
        system = "builtin";
        outputHashMode = if executable then "recursive" else "flat";
        unpack = false;
        preferLocalBuild = true;
        impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      }));
in
{
  inherit fetchurl;
  fetchzip = missing "fetchzip" "an archive and unpacks it";
  fetchgit = missing "fetchgit" "a git repository";
  fetchFromGitHub = missing "fetchFromGitHub" "a git repository";
  fetchFromGitLab = missing "fetchFromGitLab" "a git repository";
  fetchFromSourcehut = missing "fetchFromSourcehut" "a git repository";
  fetchFromGitea = missing "fetchFromGitea" "a git repository";
  fetchFromCodeberg = missing "fetchFromCodeberg" "a git repository";
  fetchpatch = missing "fetchpatch" "a patch and trims it";
  fetchpatch2 = missing "fetchpatch2" "a patch and trims it";
  fetchPypi = missing "fetchPypi" "a Python package";
  fetchsvn = missing "fetchsvn" "a Subversion repository";
  fetchhg = missing "fetchhg" "a Mercurial repository";
  fetchCrate = missing "fetchCrate" "a Rust crate";
  requireFile = missing "requireFile" "a file that only the user can get";
}
