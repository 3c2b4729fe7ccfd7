# Repositories by their addresses.
{ lib, pkgs, fetch, ... }:

let
  normalized = lib.fetchers.withNormalizedHash { };

  # "hello" of https://example.org/hello.git; with the start of a commit's name where that is what is asked for.
  nameOf = url: rev:
    let
      last = lib.last (lib.splitString ":" (baseNameOf (lib.removeSuffix "/" url)));
      commit = lib.optionalString (builtins.match "[a-f0-9]*" rev != null) "-${builtins.substring 0 7 rev}";
    in
    lib.removeSuffix ".git" last + commit;
in
{
  fetchgit = lib.makeOverridable (normalized (
    { url
    , rev ? null
    , tag ? null
    , name ? null
    , outputHash
    , outputHashAlgo
    , fetchSubmodules ? true
    , deepClone ? false
    , leaveDotGit ? deepClone
    , fetchLFS ? false
    , branchName ? null
    , sparseCheckout ? [ ]
    , nonConeMode ? false
    , rootDir ? ""
    , gitConfigFile ? ""
    , postFetch ? ""
    , preFetch ? ""
    , netrcPhase ? null
    , netrcImpureEnvVars ? [ ]
    , nativeBuildInputs ? [ ]
    , allowedRequisites ? null
    , meta ? { }
    , passthru ? { }
    , ...
    }:
    let
      asked =
        if rev != null && tag != null then throw "fetchgit of ${url}: give `rev` or `tag`, not both"
        else if tag != null then "refs/tags/${tag}"
        else if rev != null then rev
        else "HEAD";
    in
    assert lib.assertMsg (builtins.isList sparseCheckout) "fetchgit of ${url}: `sparseCheckout` is a list of folders";
    fetch ({
      name = if name != null then name else nameOf url asked;
      inherit url outputHash outputHashAlgo fetchSubmodules deepClone leaveDotGit fetchLFS branchName sparseCheckout
        nonConeMode rootDir gitConfigFile postFetch nativeBuildInputs meta;
      rev = asked;
      recursive = true;
      script = ./fetch-git.sh;
      tools = [ pkgs.buildPackages.git ] ++ lib.optional fetchLFS pkgs.buildPackages.git-lfs;
      impureEnvVars = [ "GIT_PROXY_COMMAND" "SOCKS_SERVER" ] ++ netrcImpureEnvVars;
      passthru = { gitRepoUrl = url; inherit tag; } // passthru;
    } // lib.optionalAttrs (netrcPhase != null) { inherit netrcPhase; })
  ));

  fetchhg = lib.makeOverridable (normalized (
    { name ? null, url, rev ? null, outputHash, outputHashAlgo, fetchSubrepos ? false, preferLocalBuild ? true }:
    fetch {
      name = "hg-archive" + lib.optionalString (name != null) "-${name}";
      inherit url rev outputHash outputHashAlgo;
      subrepos = lib.optionalString fetchSubrepos "-S";
      recursive = true;
      tools = [ pkgs.buildPackages.debian.mercurial ];
      script = builtins.toFile "fetch-hg.sh" ''
        source "$sentence"
        export HOME=$TMPDIR
        hg clone --noupdate "$url" clone || cannotFetch "$url" "see above"
        hg --cwd clone archive $subrepos --type files ''${rev:+-r "$rev"} "$out" || cannotFetch "$rev of $url" "see above"
        rm -f "$out/.hg_archival.txt"
      '';
    }
  ));

  fetchsvn = lib.makeOverridable (normalized (
    { url
    , rev ? "HEAD"
    , name ? null
    , outputHash
    , outputHashAlgo
    , ignoreExternals ? false
    , ignoreKeywords ? false
    , preferLocalBuild ? true
    }:
    let
      parts = lib.reverseList (lib.splitString "/" (lib.removeSuffix "/" url));
      part = builtins.elemAt parts;
      # The folder that the project is, above what every project has.
      project =
        if part 0 == "trunk" then part 1
        else if builtins.length parts > 2 && part 2 == "branches" || part 2 == "tags" then "${part 3}-${part 0}"
        else if part 1 == "branches" || part 1 == "tags" then "${part 2}-${part 0}"
        else part 0;
    in
    fetch {
      name = if name != null then name else "${project}-r${toString rev}";
      inherit url outputHash outputHashAlgo;
      rev = toString rev;
      flags = lib.optionalString ignoreExternals "--ignore-externals " + lib.optionalString ignoreKeywords "--ignore-keywords";
      recursive = true;
      tools = [ pkgs.buildPackages.debian.subversion ];
      script = builtins.toFile "fetch-svn.sh" ''
        source "$sentence"
        export HOME=$TMPDIR
        svn export --non-interactive --trust-server-cert-failures=unknown-ca,cn-mismatch,expired,other $flags \
          ''${rev:+-r "$rev"} "$url" "$out" || cannotFetch "$rev of $url" "see above"
      '';
    }
  ));
}
