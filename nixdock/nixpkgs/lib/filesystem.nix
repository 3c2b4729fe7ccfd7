# Looking at files while evaluating.
{ lib }:

let
  inherit (builtins) readDir;

  self = {
    pathType = builtins.readFileType or (path:
      if !builtins.pathExists path then
        abort "lib.filesystem.pathType: Path ${toString path} does not exist."
      # A flake's own folder: what lies beside it in the store a flake may not see.
      else if dirOf path == path || (lib.trivial.inPureEvalMode && dirOf (toString path) == builtins.storeDir) then "directory"
      else (readDir (dirOf path)).${baseNameOf path});
    pathIsDirectory = path: builtins.pathExists path && self.pathType path == "directory";
    pathIsRegularFile = path: builtins.pathExists path && self.pathType path == "regular";
    listFilesRecursive = folder:
      lib.lists.flatten (lib.attrsets.mapAttrsToList
        (name: type:
          if type == "directory" then self.listFilesRecursive (folder + "/${name}") else folder + "/${name}")
        (readDir folder));
    haskellPathsInDir = root:
      builtins.mapAttrs (name: _: root + "/${name}")
        (lib.attrsets.filterAttrs
          (name: type: type == "directory" && builtins.pathExists (root + "/${name}/${name}.cabal"))
          (readDir root));
    locateDominatingFile = pattern: file:
      let
        go = path:
          let
            names = builtins.attrNames (readDir path);
            matches = builtins.filter (m: m != null) (map (builtins.match pattern) names);
          in
          if matches != [ ] then { inherit path matches; }
          else if path == /. then null
          else go (dirOf path);
      in
      go (if self.pathIsDirectory file then file else dirOf file);
    # The file that `import` reads of a folder.
    resolveDefaultNix = path:
      if self.pathIsDirectory path || (builtins.isString path && lib.strings.hasSuffix "/" path) then
        path + "/default.nix"
      else path;
    # A tree of `package.nix` files (and plain `name.nix` files) as a set of packages. With `newScope` each folder
    # is a scope: its packages find each other, and those of the folders above.
    packagesFromDirectoryRecursive =
      { callPackage
      , newScope ? throw "lib.packagesFromDirectoryRecursive: newScope wasn't passed in args"
      , directory
      , recurseIntoDirectory ? null
      , ...
      }@args:
      let
        own = directory + "/package.nix";
        recurse = given:
          let process = self.packagesFromDirectoryRecursive;
          in if recurseIntoDirectory == null then process given else recurseIntoDirectory process given;
        entries = scope: lib.attrsets.concatMapAttrs
          (name: type:
            let path = directory + "/${name}";
            in
            if type == "directory" then { ${name} = recurse (args // scope // { directory = path; }); }
            else if type != "regular" then
              throw "lib.filesystem.packagesFromDirectoryRecursive: Unsupported file type ${type} at path ${toString path}"
            else if lib.strings.hasSuffix ".nix" name then
              { ${lib.strings.removeSuffix ".nix" name} = scope.callPackage path { }; }
            else { })
          (readDir directory);
      in
      if builtins.pathExists own then callPackage own { }
      else if args ? newScope then
        lib.attrsets.recurseIntoAttrs (lib.customisation.makeScope newScope
          (final: entries { inherit (final) callPackage newScope; }))
      else entries { inherit callPackage; };
  };
in
self
