# One file by its address, and what is made of one: an archive's contents, a patch without its circumstances.
{ lib, pkgs, fetch, mirrors }:

let
  siteOf = url: builtins.head (lib.splitString "/" (lib.removePrefix "mirror://" url));

  hashTypes = [ "sha256" "sha512" "sha1" "md5" ];
  normalized = lib.fetchers.withNormalizedHash { inherit hashTypes; };

  fetchurl = lib.makeOverridable (normalized (
    { url ? ""
    , urls ? [ ]
    , name ? ""
    , pname ? ""
    , version ? ""
    , outputHash
    , outputHashAlgo
    , recursiveHash ? false
    , executable ? false
    , downloadToTemp ? false
    , postFetch ? ""
    , curlOpts ? ""
    , curlOptsList ? [ ]
    , netrcPhase ? null
    , netrcImpureEnvVars ? [ ]
    , showURLs ? false
    , nativeBuildInputs ? [ ]
    , preferLocalBuild ? true
    , derivationArgs ? { }
    , meta ? { }
    , passthru ? { }
    }:
    let
      all = if urls != [ ] then urls else if url != "" then [ url ] else throw "fetchurl needs `url` or `urls`";
      first = builtins.head all;
      fullName =
        if showURLs then "urls"
        else if name != "" then name
        else if pname != "" then "${pname}-${version}"
        else baseNameOf (toString first);

      sites = lib.unique (map siteOf (builtins.filter (lib.hasPrefix "mirror://") all));
      mirrorsOf = site: mirrors.${site} or (throw "fetchurl of ${fullName}: there are no mirrors called '${site}'; known are ${
        lib.concatStringsSep ", " (builtins.attrNames mirrors)}");

      asked = {
        name = fullName;
        inherit outputHash outputHashAlgo executable downloadToTemp postFetch meta showURLs nativeBuildInputs;
        urls = all;
        recursive = recursiveHash || executable;
        script = ./fetch-url.sh;
        tools = [ pkgs.buildPackages.curl ];
        impureEnvVars = [ "NIX_CURL_FLAGS" ] ++ netrcImpureEnvVars ++ map (site: "NIX_MIRRORS_${site}") sites;
        curlOpts = if builtins.isList curlOpts then throw "fetchurl of ${fullName}: curlOpts is a list; that is curlOptsList" else curlOpts;
        curlOptsList = lib.escapeShellArgs curlOptsList;
        passthru = { url = first; } // passthru;
      }
      // lib.optionalAttrs (netrcPhase != null) { inherit netrcPhase; }
      // lib.listToAttrs (map (site: lib.nameValuePair "mirrors_${site}" (mirrorsOf site)) sites)
      // derivationArgs;
      byCurl = fetch asked;

      # Nix can do this alone, without a single package.
      isPlain = builtins.length all == 1 && sites == [ ] && !showURLs && !downloadToTemp && postFetch == ""
        && curlOpts == "" && curlOptsList == [ ] && netrcPhase == null && nativeBuildInputs == [ ] && derivationArgs == { }
        && recursiveHash == false;
      byNix = lib.extendDerivation true
        ({
          inherit meta passthru;
          inherit (byCurl) overrideAttrs;
          urls = all;
        } // passthru)
        (derivation {
          inherit executable outputHash outputHashAlgo;
          name = lib.strings.sanitizeDerivationName fullName;
          url = first;
          urls = all;
          builder = "builtin:fetchurl";
          system = "builtin";
          outputHashMode = if executable then "recursive" else "flat";
          unpack = false;
          preferLocalBuild = true;
          impureEnvVars = lib.fetchers.proxyImpureEnvVars;
        });
    in
    if isPlain then byNix else byCurl
  ));

  # What an archive has, without the folder around it.
  fetchzip = lib.makeOverridable (
    { url ? ""
    , urls ? [ ]
    , name ? "source"
    , stripRoot ? true
    , extension ? null
    , postFetch ? ""
    , extraPostFetch ? ""
    , nativeBuildInputs ? [ ]
    , withUnzip ? true
    , ...
    }@args:
    let
      address = if url != "" then url else builtins.head urls;
      file = if extension != null then "download.${extension}" else baseNameOf address;
      isZip = builtins.match ".*\\.(zip|jar|war)" file != null;
    in
    fetchurl (removeAttrs args [ "stripRoot" "extension" "extraPostFetch" "withUnzip" ] // {
      inherit name;
      recursiveHash = true;
      downloadToTemp = true;
      nativeBuildInputs = with pkgs.buildPackages;
        lib.optional (isZip && withUnzip) unzip ++ lib.optional (lib.hasSuffix ".zst" file) zstd ++ nativeBuildInputs;
      postFetch = ''
        # unzip writes names in the way of the locale.
        ${lib.optionalString isZip "export LOCPATH=${pkgs.buildPackages.debian.libc-bin}/lib/locale LC_ALL=C.UTF-8"}
        unpackDir=$TMPDIR/unpack
        mkdir "$unpackDir"
        renamed=$TMPDIR/${lib.escapeShellArg file}
        mv "$downloadedFile" "$renamed"
        cd "$unpackDir"
        unpackFile "$renamed"
        chmod -R +w "$unpackDir"
        ${if stripRoot then ''
          entries=$(ls -A "$unpackDir")
          if [ "$(wc -l <<<"$entries")" != 1 ]; then
            nixErrorLog "fetchzip of ${address}: the archive has more than one folder at its top; stripRoot = false takes all"
            exit 1
          fi
          if [ -f "$unpackDir/$entries" ]; then mkdir "$out"; fi
          mv "$unpackDir/$entries" "$out"
        '' else ''
          mv "$unpackDir" "$out"
        ''}
        ${postFetch}
        ${extraPostFetch}
        chmod 755 "$out"
      '';
    })
  );

  # A patch without what changes from day to day: only the changes, by the files' names.
  fetchpatch =
    { relative ? null
    , stripLen ? 0
    , decode ? "cat"
    , extraPrefix ? null
    , excludes ? [ ]
    , includes ? [ ]
    , hunks ? [ ]
    , revert ? false
    , postFetch ? ""
    , nativeBuildInputs ? [ ]
    , ...
    }@args:
    let
      below = builtins.filter (part: part != "") (lib.splitString "/" relative);
      strip = if relative == null then stripLen else stripLen + builtins.length below + 1;
      prefix = if relative != null && extraPrefix == null then "" else extraPrefix;
      only = lib.optionals (relative != null) [ "-p1" "-i" "${relative}/*" ];
      each = flag: values: lib.concatMap (value: [ flag value ]) values;
    in
    assert lib.assertMsg (excludes == [ ] || includes == [ ]) "fetchpatch: `excludes` and `includes` exclude each other";
    fetchurl (removeAttrs args [ "relative" "stripLen" "decode" "extraPrefix" "excludes" "includes" "hunks" "revert" ] // {
      nativeBuildInputs = [ pkgs.buildPackages.patchutils ] ++ nativeBuildInputs;
      postFetch = ''
        tmpfile=$TMPDIR/patch
        if [ ! -s "$out" ]; then
          nixErrorLog "fetchpatch: what was fetched is empty"
          exit 1
        fi
        ${decode} <"$out" >"$tmpfile"
        mv "$tmpfile" "$out"
        lsdiff ${lib.escapeShellArgs only} "$out" | sort -u | sed -e 's/[*?]/\\&/g' |
          xargs -I{} filterdiff --include={} --strip=${toString strip} ${lib.optionalString (prefix != null)
            (lib.escapeShellArgs [ "--addoldprefix=a/${prefix}" "--addnewprefix=b/${prefix}" ])} --clean "$out" >"$tmpfile"
        if [ ! -s "$tmpfile" ]; then
          nixErrorLog "fetchpatch: what was fetched is no patch: $(head -n 1 "$out")"
          exit 1
        fi
        filterdiff -p1 ${lib.escapeShellArgs (each "-x" excludes ++ each "-i" includes)} ${
          lib.optionalString (hunks != [ ]) "-# ${lib.concatMapStringsSep "," toString hunks}"} "$tmpfile" >"$out"
        if [ ! -s "$out" ]; then
          nixErrorLog "fetchpatch: excludes and includes leave nothing of the patch"
          exit 1
        fi
        ${lib.optionalString revert ''
          interdiff "$out" /dev/null >"$tmpfile"
          mv "$tmpfile" "$out"
        ''}
        ${postFetch}
      '';
    });
in
{
  inherit fetchurl fetchzip;
  fetchpatch = lib.makeOverridable fetchpatch;
  fetchpatch2 = lib.makeOverridable fetchpatch;
  fetchurlBoot = fetchurl;

  # A file that only the user can get: found in the store, or asked for.
  requireFile =
    { name ? null, url ? null, hash ? null, sha256 ? null, sha1 ? null, message ? null, hashMode ? "flat" }:
    let
      fileName = if name != null then name else baseNameOf (toString url);
      normal = lib.fetchers.normalizeHash { hashTypes = [ "sha256" "sha1" ]; }
        (lib.filterAttrs (_: value: value != null) { inherit hash sha256 sha1; });
      add = "nix-store --add-fixed ${lib.optionalString (hashMode == "recursive") "--recursive "}sha256 ${fileName}";
    in
    pkgs.stdenvNoCC.mkDerivation {
      name = fileName;
      inherit (normal) outputHash outputHashAlgo;
      outputHashMode = hashMode;
      preferLocalBuild = true;
      sentence = if message != null then message else
        "cannot fetch ${fileName} by itself: get it${lib.optionalString (url != null) " from ${url}"}, and put it into the store: ${add}";
      buildCommand = ''
        nixErrorLog "$sentence"
        exit 1
      '';
    };
}
