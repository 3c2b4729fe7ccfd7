# The stage of small builders: files, scripts, wrappers, trees of links, and what is known of closures. Its names are
# listed here, so that a file is read when something of it is asked for.
{ lib, builder, lock }:

final: prev:

let
  call = file:
    let f = import file; in
    f (builtins.intersectAttrs (builtins.functionArgs f) { inherit lib builder lock; pkgs = final; });

  # Built by the static busybox alone, so that a text costs no package.
  writers = call ./write.nix;
  commands = call ./run-command.nix;
  trees = call ./trees.nix;
  closures = call ./closures.nix;
  wrappers = call ./wrappers.nix;
  shells = call ./shells.nix;
  fetchers = call ./fetchers;
  sources = call ./sources.nix;
  sets = call ./sets.nix;
  substitutions = call ./substitutions.nix;
  fonts = call ./fonts.nix;
in
call ./absent.nix // {
  nix-gitignore = call ./gitignore.nix;
  testers = call ./testers.nix;
  inherit (writers)
    concatScript concatText concatTextFile copyPathToStore copyPathsToStore formats runtimeShell
    runtimeShellPackage writeScript writeScriptBin writeShellApplication writeShellScript writeShellScriptBin
    writeText writeTextDir writeTextFile writers;
  inherit (commands)
    applyPatches emptyDirectory emptyFile runCommand runCommandCC runCommandLocal runCommandNoCC
    runCommandNoCCLocal runCommandWith;
  inherit (trees) buildEnv linkFarm linkFarmFromDrvs onlyBin symlinkJoin;
  inherit (closures) closureInfo referencesByPopularity writeClosure writeReferencesToFile;
  inherit (wrappers) installShellFiles makeBinaryWrapper makeSetupHook makeShellWrapper makeWrapper;
  inherit (shells) mkShell mkShellNoCC;
  inherit (fetchers)
    fetchCrate fetchFromBitbucket fetchFromCodeberg fetchFromForgejo fetchFromGitHub fetchFromGitLab
    fetchFromGitea fetchFromGitiles fetchFromRepoOrCz fetchFromSavannah fetchFromSourcehut fetchMavenArtifact
    fetchPypi fetchgit fetchhg fetchipfs fetchpatch fetchpatch2 fetchs3 fetchsvn fetchtorrent fetchurl
    fetchurlBoot fetchzip requireFile;
  inherit (sources) compressDrv compressDrvWeb srcOnly writeDirectReferencesToFile writeStringReferencesToFile;
  inherit (sets)
    callPackage callPackages dontRecurseIntoAttrs makeOverridable makeScope makeScopeWithSplicing
    makeScopeWithSplicing' newScope path pkgs recurseIntoAttrs splicePackages;
  inherit (substitutions) replaceVars replaceVarsWith substitute substituteAll substituteAllFiles;
  inherit (fonts) makeFontsConf;
}
