# Files with words in them replaced.
{ lib, pkgs }:

let
  nameOf = src: builtins.unsafeDiscardStringContext (
    if src ? name then src.name
    else
      # A file that is in the store already has its hash before the name.
      let file = baseNameOf (toString src);
      in if lib.isStorePath src || lib.hasPrefix "${builtins.storeDir}/" (toString src) then builtins.substring 33 (-1) file else file);

  # Where the result goes, and whether it can be run.
  place = { dir, isExecutable, name }: ''
    target=$out
    ${lib.optionalString (dir != null && dir != "") ''
      target=$out/${dir}/${name}
      mkdir -p "$out/${dir}"
    ''}
    finish() { ${if isExecutable then "chmod +x \"$target\"" else ":"}; }
  '';

  self = {
    # @name@ for each of the replacements, all of which must be in the file; nothing of that form may be left but
    # the names whose value is null.
    replaceVarsWith =
      { src, replacements, dir ? null, isExecutable ? false, name ? nameOf src, ... }@args:
      let
        given = lib.filterAttrs (_: value: value != null) replacements;
        kept = builtins.attrNames (lib.filterAttrs (_: value: value == null) replacements);
        options = lib.concatStringsSep " " (lib.mapAttrsToList
          (key: value: "--replace-fail ${lib.escapeShellArgs [ "@${key}@" value ]}")
          given);
      in
      pkgs.stdenvNoCC.mkDerivation (removeAttrs args [ "replacements" "dir" "isExecutable" ] // {
        inherit name src;
        dontUnpack = true;
        preferLocalBuild = true;
        doCheck = args.doCheck or true;
        buildPhase = ''
          runHook preBuild
          ${place { inherit dir isExecutable name; }}
          substitute "$src" "$target" ${options}
          finish
          runHook postBuild
        '';
        checkPhase = ''
          runHook preCheck
          left=$(grep -noE "@[a-zA-Z_][0-9A-Za-z_'-]*@" "$target" ${
            lib.optionalString (kept != [ ]) "| grep -vE ${lib.escapeShellArg ":@(${lib.concatMapStringsSep "|" lib.escapeRegex kept})@$"}"} || true)
          if [ -n "$left" ]; then
            echo "replaceVars of ${name}: nothing is given for" >&2
            sed 's/^\([0-9]*\):\(.*\)/  line \1: \2/' <<<"$left" >&2
            echo "A name that is to stay as it is gets the value null." >&2
            exit 1
          fi
          runHook postCheck
        '';
        installPhase = "runHook preInstall; runHook postInstall";
        dontFixup = args.dontFixup or (!isExecutable);
      });
    replaceVars = src: replacements: self.replaceVarsWith { inherit src replacements; };

    # The arguments of the shell function `substitute`, given by hand.
    substitute =
      { src, substitutions ? [ ], replacements ? [ ], dir ? null, isExecutable ? false, name ? nameOf src, ... }@args:
      pkgs.runCommandLocal name (removeAttrs args [ "substitutions" "replacements" "dir" "isExecutable" "name" ]) ''
        ${place { inherit dir isExecutable name; }}
        substitute "$src" "$target" ${if substitutions != [ ] then lib.escapeShellArgs substitutions else toString replacements}
        finish
      '';

    # @name@ of every argument.
    substituteAll = { src, dir ? null, isExecutable ? false, name ? nameOf src, ... }@args:
      pkgs.runCommandLocal name (removeAttrs args [ "name" "dir" "isExecutable" ]) ''
        ${place { inherit dir isExecutable name; }}
        substituteAll "$src" "$target"
        finish
        ${args.postInstall or ""}
      '';
    substituteAllFiles = { src, files, ... }@args:
      pkgs.runCommandLocal (args.name or (nameOf src)) (removeAttrs args [ "name" ]) ''
        for file in $files; do
          mkdir -p "$out/$(dirname "$file")"
          substituteAll "$src/$file" "$out/$file"
        done
      '';
  };
in
self
