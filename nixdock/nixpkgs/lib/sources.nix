# Local folders as sources, without what does not belong into a build.
{ lib }:

let
  inherit (builtins) match readFile pathExists;

  self = {
    # Editors' droppings, version control, and results of earlier builds.
    cleanSourceFilter = name: type:
      let base = baseNameOf (toString name);
      in
      !(
        (base == ".git" || (type == "directory" && builtins.elem base [ ".svn" "CVS" ".hg" ".jj" ".pijul" "_darcs" ]))
        || lib.strings.hasSuffix "~" base
        || match "\\.sw[a-z]" base != null
        || match "\\..*\\.sw[a-z]" base != null
        || lib.strings.hasSuffix ".o" base
        || lib.strings.hasSuffix ".so" base
        || (type == "symlink" && lib.strings.hasPrefix "result" base)
        || type == "unknown"
      );
    cleanSource = src: self.cleanSourceWith { filter = self.cleanSourceFilter; inherit src; };
    cleanSourceWith = { filter ? (_: _: true), src, name ? null }:
      let
        # Filters of a filtered source add up; it is read from the disk once.
        below = if src ? _isLibCleanSourceWith then src else { origSrc = src; filter = _: _: true; name = null; };
        both = path: type: filter path type && below.filter path type;
        chosen = if name != null then name else if below.name or null != null then below.name else "source";
      in
      {
        _isLibCleanSourceWith = true;
        inherit (below) origSrc;
        filter = both;
        name = chosen;
        outPath = builtins.path { filter = both; path = below.origSrc; name = chosen; };
      };
    sourceFilesBySuffices = src: suffixes:
      self.cleanSourceWith {
        inherit src;
        filter = name: type:
          type == "directory" || builtins.any (suffix: lib.strings.hasSuffix suffix (baseNameOf (toString name))) suffixes;
      };
    sourceByRegex = src: regexes:
      let
        origin = toString (if src ? _isLibCleanSourceWith then src.origSrc else src);
      in
      self.cleanSourceWith {
        inherit src;
        filter = path: _:
          let relative = lib.strings.removePrefix (origin + "/") (toString path);
          in builtins.any (regex: match regex relative != null) regexes;
      };
    trace = src: self.cleanSourceWith {
      inherit src;
      filter = path: type: builtins.trace "${toString path} (${type})" true;
    };
    pathIsDirectory = lib.filesystem.pathIsDirectory;
    pathIsRegularFile = lib.filesystem.pathIsRegularFile;
    pathType = lib.filesystem.pathType;
    pathHasContext = lib.strings.hasContext or (path: builtins.hasContext (toString path));
    canCleanSource = src: src ? _isLibCleanSourceWith || !(self.pathHasContext src);
    pathIsGitRepo = path: (builtins.tryEval (self.commitIdFromGitRepo path)).success;
    # Of a .git folder, or of the file that stands for one in a worktree or a submodule.
    commitIdFromGitRepo = git:
      let
        linked = match "gitdir: (.*)" (lib.strings.fileContents git);
        target = builtins.head linked;
        below = folder: name: if lib.strings.hasPrefix "/" name then /. + name else folder + "/${name}";

        headText = lib.strings.fileContents (git + "/HEAD");
        ref = match "ref: (.*)" headText;
        name = builtins.head ref;
        # A worktree shares the references of its repository.
        common =
          if pathExists (git + "/commondir") then below git (lib.strings.fileContents (git + "/commondir")) else git;
        packed = common + "/packed-refs";
        inPacked = builtins.filter builtins.isList
          (builtins.split "(^|\n)([0-9a-f]{40}) ${lib.strings.escapeRegex name}(\n|$)" (readFile packed));
        holder = lib.lists.findFirst (folder: pathExists (folder + "/${name}")) null [ git common ];
      in
      if lib.filesystem.pathIsRegularFile git then
        if linked == null then throw "File contains no gitdir reference: ${toString git}"
        else self.commitIdFromGitRepo (below (dirOf git) target)
      else if !pathExists (git + "/HEAD") then throw "Not a .git directory: ${toString git}"
      else if ref == null then headText
      else if holder != null then lib.strings.fileContents (holder + "/${name}")
      else if pathExists packed && inPacked != [ ] then builtins.elemAt (builtins.head inPacked) 1
      else throw "Could not find ${name} in ${toString git}";
    # The last part of an address, without the endings of archives and repositories.
    urlToName = url:
      let
        file = baseNameOf (lib.strings.removeSuffix "/" (lib.lists.last (lib.strings.splitString ":" (toString url))));
        shorter = name:
          let found = match "(.*)\\.(git|tar|zip|gz|tgz|bz|tbz|bz2|tbz2|lzma|txz|xz|zstd)" name;
          in if found == null then name else builtins.head found;
        # A file of the store without its hash.
        stored = match "[a-z0-9]{32}-(.*)" file;
      in
      lib.fixedPoints.converge shorter (if stored == null then file else builtins.head stored);
    # Seven digits of a commit; of a tag the version in it.
    shortRev = rev:
      let
        name = baseNameOf rev;
        version = match "([A-Za-z]+[-_. ]?)*(v)?([0-9.]+.*)" name;
      in
      if match "[a-f0-9]+" name != null then builtins.substring 0 7 name
      else if version != null then lib.lists.last version
      else name;
    # How a fetched repository is called in the store.
    repoRevToName = kind:
      let
        versioned = infix: repo: rev:
          "${self.urlToName repo}${lib.strings.optionalString (rev != null) "-${self.shortRev rev}"}${infix}-source";
      in
      if kind == "source" then _repo: _rev: _fetcher: "source"
      else if kind == "versioned" then repo: rev: _fetcher: versioned "" repo rev
      else if kind == "full" then repo: rev: fetcher: versioned "-${fetcher}" repo rev
      else throw "repoRevToName: invalid kind";
    revOrTag = rev: tag: if tag != null then tag else if rev != null then rev else "HEAD";
  };
in
self
