# The builtins, each of which tells what it reads, and an `import` whose files see these in their places.
#
# What tells is a trace, `nixdock read: [KIND, WHAT]` as JSON: a name or a path, never a value. A source that
# is copied as it stands (`"${./x}"`) passes here unseen; of that Nix itself tells at the verbosity -vv.
# A builtin that is known neither as one that reads nothing nor here is told as one that cannot be known.
{
  # Directories of which many files import one another: each of their files is evaluated once.
  roots,
}:
let
  inherit (builtins) isAttrs isPath isString stringLength substring;

  tell = kind: what: value: builtins.trace "nixdock read: ${builtins.toJSON [ kind what ]}" value;
  textOf = value: builtins.unsafeDiscardStringContext (toString value);

  # What reads what may change.
  reading = {
    readFile = path: tell "file" (textOf path) (builtins.readFile path);
    hashFile = type: path: tell "file" (textOf path) (builtins.hashFile type path);
    readFileType = path: tell "entry" (textOf path) (builtins.readFileType path);
    readDir = path: tell "directory" (textOf path) (builtins.readDir path);
    pathExists =
      path:
      let
        found = builtins.pathExists path;
      in
      tell (if found then "present" else "absent") (textOf path) found;
    getEnv = name: tell "environment" name (builtins.getEnv name);
    findFile = path: name: builtins.seq (tellCandidates path name) (builtins.findFile path name);
    filterSource = keep: path: tell "filtered" (textOf path) (builtins.filterSource (kept keep) path);
    path =
      given:
      if given ? filter then
        tell "filtered" (textOf given.path) (builtins.path (given // { filter = kept given.filter; }))
      else
        tell "tree" (textOf given.path) (builtins.path given);
    fetchurl = fetching "fetchurl" hasHash;
    fetchTarball = fetching "fetchTarball" hasHash;
    fetchGit = fetching "fetchGit" hasRevision;
    fetchMercurial = fetching "fetchMercurial" hasRevision;
    # A revision alone says nothing of a tree of the kind `path`.
    fetchTree = fetching "fetchTree" (given: given.narHash or "" != "");
    storePath =
      path:
      (if substring 0 (stringLength builtins.storeDir + 1) (textOf path) == "${builtins.storeDir}/" then (value: value) else tell "unknown" "storePath") (
        builtins.storePath path
      );
    inherit import scopedImport;
    builtins = all;
  };

  # Where `<name>` is looked for: what stands in one of these places decides what it means.
  tellCandidates =
    path: name:
    builtins.foldl' (
      done: entry:
      let
        prefix = entry.prefix or "";
        length = stringLength prefix;
        rest =
          if prefix == "" then
            "/${name}"
          else if name == prefix then
            ""
          else if substring 0 (length + 1) name == "${prefix}/" then
            substring length (stringLength name) name
          else
            null;
      in
      if rest == null then done else tell "candidate" "${textOf entry.path}${rest}" done
    ) null path;

  # A filter that tells what it keeps; what it leaves out is not read.
  kept =
    keep: path: type:
    if keep path type then tell (if type == "directory" then "directory" else "tree") path true else false;

  fetching =
    name: isPinned: given:
    (if isAttrs given && isPinned given then (value: value) else tell "unknown" name) (builtins.${name} given);
  hasHash = given: given.sha256 or "" != "";
  hasRevision = given: builtins.match "[0-9a-f]{40}|[0-9a-f]{64}" (given.rev or "") != null;

  import =
    path:
    tell "import" (textOf path) (
      # Nix's own files are in Nix itself.
      if substring 0 13 (textOf path) == "/__corepkgs__" then
        builtins.import path
      else if isPath path || isString path && !builtins.hasContext path then
        evaluateOnce (toString path) path
      else
        builtins.scopedImport scope path
    );
  scopedImport =
    given: path: tell "import" (textOf path) (builtins.scopedImport (scope // given) path);

  # scopedImport evaluates a file each time anew. Here each has its place in a tree of what is below a root,
  # of which only that is made which is asked for.
  evaluateOnce =
    text: path:
    let
      inside = builtins.filter (root: substring 0 (stringLength root + 1) text == "${root}/") roots;
      root = builtins.head inside;
      names = builtins.filter (name: isString name && name != "") (
        builtins.split "/" (substring (stringLength root) (stringLength text) text)
      );
      node = builtins.foldl' (node: name: if node == null then null else node.below.${name} or null) trees.${root} names;
    in
    if inside == [ ] || node == null then builtins.scopedImport scope path else node.value;
  trees = builtins.listToAttrs (
    map (root: {
      name = root;
      # Which may be a link itself: an import follows it, and what lies behind it is a root as well.
      value = grow (/. + root) "directory" // {
        value = builtins.scopedImport scope (/. + root);
      };
    }) roots
  );
  grow = path: type: rec {
    entries = if type == "directory" then builtins.readDir path else { };
    below = builtins.mapAttrs (name: grow (path + "/${name}")) entries;
    # Nix follows a link that is imported, but none that is the default.nix of a directory.
    value =
      if entries."default.nix" or null == "regular" then
        below."default.nix".value
      else
        builtins.scopedImport scope path;
  };

  pure = builtins.listToAttrs (
    map
      (name: {
        inherit name;
        value = null;
      })
      [
        "abort"
        "add"
        "addDrvOutputDependencies"
        "addErrorContext"
        "all"
        "any"
        "appendContext"
        "attrNames"
        "attrValues"
        "baseNameOf"
        "bitAnd"
        "bitOr"
        "bitXor"
        "break"
        "catAttrs"
        "ceil"
        "compareVersions"
        "concatLists"
        "concatMap"
        "concatStringsSep"
        "convertHash"
        "currentSystem"
        "deepSeq"
        "derivation"
        "derivationStrict"
        "dirOf"
        "div"
        "elem"
        "elemAt"
        "false"
        "filter"
        "flakeRefToString"
        "floor"
        "foldl'"
        "fromJSON"
        "fromTOML"
        "functionArgs"
        "genList"
        "genericClosure"
        "getAttr"
        "getContext"
        "groupBy"
        "hasAttr"
        "hasContext"
        "hashString"
        "head"
        "intersectAttrs"
        "isAttrs"
        "isBool"
        "isFloat"
        "isFunction"
        "isInt"
        "isList"
        "isNull"
        "isPath"
        "isString"
        "langVersion"
        "length"
        "lessThan"
        "listToAttrs"
        "map"
        "mapAttrs"
        "match"
        "mul"
        "nixPath"
        "nixVersion"
        "null"
        "parseDrvName"
        "parseFlakeRef"
        "partition"
        "placeholder"
        "removeAttrs"
        "replaceStrings"
        "seq"
        "sort"
        "split"
        "splitVersion"
        "storeDir"
        "stringLength"
        "sub"
        "substring"
        "tail"
        "throw"
        "toFile"
        "toJSON"
        "toPath"
        "toString"
        "toXML"
        "trace"
        "traceVerbose"
        "true"
        "tryEval"
        "typeOf"
        "unsafeDiscardOutputDependency"
        "unsafeDiscardStringContext"
        "unsafeGetAttrPos"
        "warn"
        "zipAttrsWith"
      ]
  );

  # Those in other places than Nix's own; of what this Nix has.
  others = builtins.mapAttrs (name: value: reading.${name} or (tell "unknown" name value)) (
    removeAttrs builtins (builtins.attrNames pure)
  );
  all = builtins // others;

  # Names without the underscores are Nix's own only of these.
  plain = builtins.intersectAttrs {
    import = null;
    scopedImport = null;
    fetchGit = null;
    fetchMercurial = null;
    fetchTarball = null;
    fetchTree = null;
  } others;
  scope =
    plain
    // builtins.listToAttrs (
      map (name: {
        name = "__${name}";
        value = others.${name};
      }) (builtins.filter (name: !(plain ? ${name}) && name != "builtins") (builtins.attrNames others))
    )
    // {
      builtins = all;
    };
in
# A copy that is always made, and told, where copies are told at all (read_set.py).
builtins.seq "${./traced.nix}" {
  inherit import scope;
}
