# What fetchers have in common: proxies, and one name for a hash.
{ lib }:

let
  fake = algorithm: { sha256 = lib.fakeSha256; sha512 = lib.fakeSha512; }.${algorithm} or "";

  self = {
    proxyImpureEnvVars = [
      "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy"
      "HTTP_PROXY" "HTTPS_PROXY" "FTP_PROXY" "ALL_PROXY" "NO_PROXY"
    ];

    # { hash } or { sha256 } (or sha1, sha512, md5), or outputHash with outputHashAlgo -> the latter pair.
    normalizeHash = { hashTypes ? [ "sha256" ], required ? true }: args:
      let
        given = builtins.filter (name: args.${name} or null != null) ([ "hash" "outputHash" ] ++ hashTypes);
        name = builtins.head given;
        value = args.${name};
        rest = removeAttrs args ([ "hash" "outputHash" "outputHashAlgo" ] ++ hashTypes);
      in
      if given == [ ] then
        if required then throw "fetcher called without `hash`"
        else rest
      else if builtins.length given > 1 then
        throw "fetcher called with mutually-incompatible arguments: ${lib.strings.concatStringsSep ", " given}"
      else
        rest // (
          if name == "hash" then
            # "" stands for a hash that is not known yet: Nix then says what it is.
            { outputHash = if value == "" then lib.fakeHash else value; outputHashAlgo = null; }
          else if name == "outputHash" then
            { outputHash = value; outputHashAlgo = args.outputHashAlgo or null; }
          else
            { outputHash = if value == "" then fake name else value; outputHashAlgo = name; });
    withNormalizedHash = settings: fetcher:
      let
        own = lib.trivial.functionArgs fetcher;
        hashNames = [ "hash" ] ++ settings.hashTypes or [ "sha256" ];
      in
      lib.trivial.setFunctionArgs (args: fetcher (self.normalizeHash settings args))
        (removeAttrs own [ "outputHash" "outputHashAlgo" ] // lib.attrsets.genAttrs hashNames (_: own.outputHash or true));
  };
in
self
