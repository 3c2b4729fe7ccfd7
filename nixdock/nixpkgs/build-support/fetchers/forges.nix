# Sources by the names that their hosts give them: an archive where one is enough, else the repository.
{ lib, pkgs }:

let
  inherit (pkgs) fetchgit fetchurl fetchzip;

  # One of `tag` and `rev`.
  refOf = what: { rev ? null, tag ? null, ... }:
    if (rev == null) == (tag == null) then throw "${what}: give one of `tag` and `rev`"
    else if tag != null then "refs/tags/${tag}"
    else rev;

  # What only Git itself can do.
  wantsGit = args: args.fetchSubmodules or false || args.leaveDotGit or false || args.deepClone or false
    || args.forceFetchGit or false || args.fetchLFS or false || args.sparseCheckout or [ ] != [ ] || args.rootDir or "" != "";
  gitArguments = [ "fetchSubmodules" "leaveDotGit" "deepClone" "fetchLFS" "sparseCheckout" "rootDir" "nonConeMode" ];

  # A fetcher of a forge: `names` are what its function is asked by, `place` what that means:
  # { ref, archive, git, homepage, and `private` netrcPhase and so on as `more` }.
  forge = what: names: place: lib.makeOverridable (
    { name ? "source", meta ? { }, passthru ? { }, ... }@args:
    let
      ref = refOf what args;
      at = place ref args;
      rest = removeAttrs args ([ "rev" "tag" "private" "forceFetchGit" ] ++ names);
      useGit = wantsGit args;
      common = at.more or { } // {
        inherit name;
        meta = { homepage = at.homepage; } // meta;
        passthru = { gitRepoUrl = at.git; } // passthru;
      };
      source =
        if useGit then fetchgit ({ fetchSubmodules = false; } // rest // common // { url = at.git; rev = ref; })
        else fetchzip (removeAttrs rest gitArguments // common // { url = at.archive; extension = "tar.gz"; });
    in
    source // { rev = ref; tag = args.tag or null; } // lib.getAttrs (builtins.filter (one: args ? ${one}) [ "owner" "repo" ]) args
  );

  # Forges that are GitHub to those who fetch.
  like = domain: what: forge what [ "owner" "repo" "githubBase" "domain" "varPrefix" ] (
    ref: { owner, repo, githubBase ? domain, private ? false, varPrefix ? null, ... }@args:
    let
      base = args.domain or githubBase;
      variables = "NIX${lib.optionalString (varPrefix != null) "_${varPrefix}"}_GITHUB_PRIVATE_";
      homepage = "https://${base}/${owner}/${repo}";
    in
    {
      inherit homepage;
      git = "${homepage}.git";
      archive =
        if private then "https://${if base == "github.com" then "api.github.com" else "${base}/api/v3"}/repos/${owner}/${repo}/tarball/${ref}"
        else "${homepage}/archive/${ref}.tar.gz";
      more = lib.optionalAttrs private {
        netrcPhase = ''
          if [ -z "''$${variables}USERNAME" ] || [ -z "''$${variables}PASSWORD" ]; then
            nixErrorLog "${what} of the private ${owner}/${repo}: the variables ${variables}USERNAME and ${variables}PASSWORD must be set"
            exit 1
          fi
          printf 'machine %s login %s password %s\n' ${base} "''$${variables}USERNAME" "''$${variables}PASSWORD" \
            ${if base == "github.com" then "api.github.com" else base} "''$${variables}USERNAME" "''$${variables}PASSWORD" >netrc
        '';
        netrcImpureEnvVars = [ "${variables}USERNAME" "${variables}PASSWORD" ];
      };
    }
  );

  withDomain = fetcher: what: lib.makeOverridable (args:
    if args ? domain then fetcher args else throw "${what} needs `domain`, the host's name");
  gitea = like "gitea.com" "fetchFromGitea";
in
{
  fetchFromGitHub = like "github.com" "fetchFromGitHub";
  fetchFromGitea = withDomain gitea "fetchFromGitea";
  fetchFromForgejo = withDomain gitea "fetchFromForgejo";
  fetchFromCodeberg = like "codeberg.org" "fetchFromCodeberg";

  fetchFromGitLab = forge "fetchFromGitLab" [ "owner" "repo" "domain" "group" "protocol" ] (
    ref: { owner, repo, protocol ? "https", domain ? "gitlab.com", group ? null, ... }:
    let
      path = lib.concatStringsSep "/" (lib.optional (group != null) group ++ [ owner repo ]);
      slug = builtins.replaceStrings [ "." "/" ] [ "%2E" "%2F" ] path;
      escaped = builtins.replaceStrings [ "+" "%" "/" ] [ "%2B" "%25" "%2F" ] ref;
    in
    {
      homepage = "${protocol}://${domain}/${path}/";
      git = "${protocol}://${domain}/${path}.git";
      archive = "${protocol}://${domain}/api/v4/projects/${slug}/repository/archive.tar.gz?sha=${escaped}";
    }
  );

  fetchFromSourcehut = forge "fetchFromSourcehut" [ "owner" "repo" "domain" "vc" ] (
    ref: { owner, repo, domain ? "sr.ht", vc ? "git", ... }:
    let base = "https://${vc}.${domain}/${owner}/${repo}"; in
    { homepage = base; git = base; archive = "${base}/archive/${lib.removePrefix "refs/tags/" ref}.tar.gz"; }
  );

  fetchFromBitbucket = forge "fetchFromBitbucket" [ "owner" "repo" ] (
    ref: { owner, repo, ... }:
    let base = "https://bitbucket.org/${owner}/${repo}"; in
    { homepage = "${base}/"; git = base; archive = "${base}/get/${lib.removePrefix "refs/tags/" ref}.tar.gz"; }
  );

  fetchFromSavannah = forge "fetchFromSavannah" [ "repo" ] (
    ref: { repo, ... }:
    {
      homepage = "https://git.savannah.gnu.org/gitweb/?p=${repo}.git";
      git = "https://git.savannah.gnu.org/git/${repo}.git";
      archive = "https://git.savannah.gnu.org/gitweb/?p=${repo}.git;a=snapshot;h=${ref};sf=tgz";
    }
  );

  fetchFromRepoOrCz = forge "fetchFromRepoOrCz" [ "repo" ] (
    ref: { repo, ... }:
    let base = "https://repo.or.cz/${repo}.git"; in
    { homepage = base; git = base; archive = "${base}/snapshot/${ref}.tar.gz"; }
  );

  fetchFromGitiles = lib.makeOverridable ({ url, rev ? null, tag ? null, name ? "source", ... }@args:
    let ref = refOf "fetchFromGitiles" args; in
    fetchzip ({ stripRoot = false; } // removeAttrs args [ "rev" "tag" ] // {
      inherit name;
      url = "${url}/+archive/${ref}.tar.gz";
      meta = { homepage = url; } // args.meta or { };
    }) // { rev = ref; inherit tag; });

  fetchPypi = lib.makeOverridable (
    { pname
    , version
    , format ? "setuptools"
    , extension ? "tar.gz"
    , dist ? "py2.py3"
    , python ? dist
    , abi ? "none"
    , platform ? "any"
    , ...
    }@args:
    let
      start = builtins.substring 0 1 pname;
      url =
        if format == "wheel" then
          "https://files.pythonhosted.org/packages/${dist}/${start}/${pname}/${pname}-${version}-${python}-${abi}-${platform}.whl"
        else "mirror://pypi/${start}/${pname}/${pname}-${version}.${extension}";
    in
    fetchurl (removeAttrs args [ "pname" "version" "format" "extension" "dist" "python" "abi" "platform" ] // { inherit url; })
  );

  fetchCrate = lib.makeOverridable (
    { crateName ? args.pname or (throw "fetchCrate needs `pname`, the crate's name")
    , pname ? crateName
    , version
    , unpack ? true
    , registryDl ? "https://crates.io/api/v1/crates"
    , ...
    }@args:
    (if unpack then fetchzip else fetchurl) (removeAttrs args [ "crateName" "pname" "version" "unpack" "registryDl" ] // {
      name = "${crateName}-${version}.tar.gz";
      url = "${registryDl}/${crateName}/${version}/download";
    } // lib.optionalAttrs unpack { extension = "tar.gz"; })
  );

  # A jar in share/java, by its coordinates.
  fetchMavenArtifact =
    { groupId
    , artifactId
    , version
    , classifier ? null
    , repos ? [ ]
    , url ? ""
    , urls ? [ ]
    , ...
    }@args:
    let
      file = "${artifactId}-${version}${lib.optionalString (classifier != null) "-${classifier}"}.jar";
      path = "${builtins.replaceStrings [ "." ] [ "/" ] groupId}/${artifactId}/${version}/${file}";
      addresses =
        if url != "" then [ url ]
        else if urls != [ ] then urls
        else if repos != [ ] then map (repo: "${repo}/${path}") repos
        else [ "mirror://maven/${path}" ];
      jar = fetchurl (removeAttrs args [ "groupId" "artifactId" "version" "classifier" "repos" "url" "urls" "pname" ] // {
        name = "${lib.replaceStrings [ "." ] [ "_" ] groupId}_${lib.replaceStrings [ "." ] [ "_" ] artifactId}-${version}.jar";
        urls = addresses;
      });
    in
    pkgs.runCommandLocal (args.pname or "${groupId}_${artifactId}_${version}") { passthru = { inherit jar; }; } ''
      install -Dm444 ${jar} "$out/share/java/${artifactId}-${version}.jar"
    '';
}
