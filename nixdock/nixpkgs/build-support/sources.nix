# Sources as they are, files compressed, and what a store path names.
{ lib, pkgs }:

let
  # A compressor's command, with {} for the file.
  compressWith = formats: compressors: drv:
    let
      pattern = lib.concatMapStringsSep " -o " (format: "-iname ${lib.escapeShellArg "*.${format}"}") formats;
      one = extension: command:
        assert lib.assertMsg (lib.hasInfix "{}" command)
          "compressDrv of ${drv.name}: the command of ${extension} must have {} in the place of the file, but it is ${command}";
        ''
          find -L "$out" -type f \( ${pattern} \) -print0 | while IFS= read -r -d "" file; do
            ${lib.replaceStrings [ "{}" ] [ "\"$file\"" ] command}
          done
        '';
    in
    pkgs.runCommandLocal "${drv.name}-compressed" { inherit drv; meta = drv.meta or { }; } ''
      mkdir $out
      (cd $drv && find -L . -type d -exec mkdir -p $out/{} \;)
      (cd $drv && find -L . -type f -exec ln -s $drv/{} $out/{} \;)
      ${lib.concatStringsSep "\n" (lib.mapAttrsToList one compressors)}
    '';
in
{
  # Only told apart in name: there is one way to build here.
  srcOnly = args:
    let drv = if lib.isDerivation args then args else pkgs.stdenv.mkDerivation args;
    in drv.overrideAttrs (old: {
      name = "${old.name or "${old.pname}-${old.version}"}-source";
      outputs = [ "out" ];
      phases = [ "unpackPhase" "patchPhase" "installPhase" ];
      installPhase = "cp -r . $out";
    });

  # Beside each file of these formats the same one compressed: { formats; compressors = { gz = "gzip … {}"; }; }.
  compressDrv = drv: { formats, compressors, ... }: compressWith formats compressors drv;
  compressDrvWeb = drv: { formats ? [ ], extraFormats ? [ ], compressors ? { }, extraFindOperands ? "", ... }:
    compressWith
      ((if formats != [ ] then formats else [
        "css" "eot" "htm" "html" "js" "json" "map" "otf" "svg" "ttf" "txt" "webmanifest" "xml"
      ]) ++ extraFormats)
      (if compressors != { } then compressors else {
        br = "${pkgs.buildPackages.brotli}/bin/brotli --keep --no-copy-stat {}";
        gz = "${pkgs.buildPackages.gzip}/bin/gzip -9 -n -c {} > \"$file.gz\"";
      })
      drv;

  # The paths that a store path itself names, one a line.
  writeDirectReferencesToFile = path:
    pkgs.runCommandLocal "runtime-references" { exportReferencesGraph = [ "graph" path ]; inherit path; } ''
      while read -r one && read -r _ && read -r count; do
        for ((number = 0; number < count; number++)); do
          read -r reference
          if [ "$one" = "$path" ]; then echo "$reference" >> found; fi
        done
      done < graph
      touch found
      sort found > $out
    '';
  # The paths that a text names.
  writeStringReferencesToFile = text:
    pkgs.writeDirectReferencesToFile (pkgs.writeText "text" text);
}
