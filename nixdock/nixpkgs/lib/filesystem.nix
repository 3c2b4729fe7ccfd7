# Looking at files while evaluating.
{ lib }:

let
  inherit (builtins) readDir;

  self = {
    pathType = builtins.readFileType or (path:
      if !builtins.pathExists path then
        throw "lib.filesystem.pathType: Path ${toString path} does not exist."
      else if dirOf path == path then "directory"
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
    # A tree of `package.nix` files (and plain `name.nix` files) as a set of packages.
    packagesFromDirectoryRecursive = { callPackage, directory, ... }:
      let
        own = directory + "/package.nix";
        entry = name: type:
          if type == "directory" then
            lib.attrsets.nameValuePair name
              (self.packagesFromDirectoryRecursive { inherit callPackage; directory = directory + "/${name}"; })
          else
            lib.attrsets.nameValuePair (lib.strings.removeSuffix ".nix" name) (callPackage (directory + "/${name}") { });
      in
      if builtins.pathExists own then callPackage own { }
      else
        lib.attrsets.mapAttrs' entry
          (lib.attrsets.filterAttrs (name: type: type == "directory" || lib.strings.hasSuffix ".nix" name)
            (readDir directory));
  };
in
self
