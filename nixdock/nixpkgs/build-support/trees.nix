# Trees of links: symlinkJoin, buildEnv, linkFarm.
{ lib, builder, pkgs }:

let
  runPython = import ./python-builder.nix { inherit lib builder; inherit (pkgs.buildPlatform) system; };
  source = import ./python-source.nix { inherit lib; } ./builders;

  # Links need nothing but Python; commands that follow them need a build environment.
  build = { name, module, order, postBuild ? "", extra ? { }, passthru ? { }, meta ? { } }:
    let
      links = runPython { inherit name source module order passthru meta; };
      copied = pkgs.runCommandLocal name (extra // { inherit postBuild passthru; meta = { inherit name; } // meta; }) ''
        cp -r --no-dereference --preserve=mode,links ${links} $out
        chmod -R u+w $out
        eval "$postBuild"
      '';
    in
    if postBuild == "" && extra == { } then
      links // { overrideAttrs = change: copied.overrideAttrs change; }
    else
      copied;

  outputsOf = extraOutputs: package:
    if !(lib.isDerivation package) then [ package ]
    else if package.outputSpecified or false then [ package ]
    else
      map (output: package.${output})
        (lib.unique (package.meta.outputsToInstall or [ "out" ] ++ builtins.filter (output: package ? ${output}) extraOutputs));
in
{
  symlinkJoin =
    { name ? if args_ ? pname && args_ ? version then "${args_.pname}-${args_.version}" else throw "symlinkJoin needs `name`, or `pname` and `version`"
    , paths
    , stripPrefix ? ""
    , failOnMissing ? stripPrefix == ""
    , postBuild ? ""
    , meta ? { }
    , passthru ? { }
    , preferLocalBuild ? true
    , allowSubstitutes ? false
    , ...
    }@args_:
    build {
      inherit name postBuild meta passthru;
      module = "link_tree";
      order = { paths = map toString paths; inherit stripPrefix failOnMissing; };
      extra = removeAttrs args_
        [ "name" "paths" "stripPrefix" "failOnMissing" "postBuild" "meta" "passthru" "preferLocalBuild" "allowSubstitutes" ];
    };

  buildEnv = lib.makeOverridable (
    { name ? if pname != null && version != null then "${pname}-${version}" else throw "buildEnv needs `name`, or `pname` and `version`"
    , pname ? null
    , version ? null
    , paths
    , pathsToLink ? [ "/" ]
    , extraOutputsToInstall ? [ ]
    , extraPrefix ? ""
    , ignoreCollisions ? false
    , checkCollisionContents ? true
    , ignoreSingleFileOutputs ? false
    , manifest ? ""
    , postBuild ? ""
    , nativeBuildInputs ? [ ]
    , buildInputs ? [ ]
    , includeClosures ? false
    , passthru ? { }
    , meta ? { }
    }:
    assert lib.assertMsg (manifest == "") "buildEnv of ${name}: `manifest` is not in the offline package set";
    assert lib.assertMsg (!includeClosures) "buildEnv of ${name}: `includeClosures` is not in the offline package set";
    build {
      inherit name postBuild meta passthru;
      module = "build_env";
      order = {
        inherit pathsToLink extraPrefix ignoreCollisions checkCollisionContents ignoreSingleFileOutputs;
        packages = map
          (package: {
            paths = map toString (outputsOf extraOutputsToInstall package);
            priority = package.meta.priority or lib.meta.defaultPriority;
          })
          (builtins.filter (package: package != null) paths);
      };
      extra = lib.optionalAttrs (nativeBuildInputs != [ ]) { inherit nativeBuildInputs; }
        // lib.optionalAttrs (buildInputs != [ ]) { inherit buildInputs; };
    });

  # entries: [ { name; path; } ], or { name = path; }.
  linkFarm = name: entries:
    let
      list = if builtins.isAttrs entries then lib.mapAttrsToList (name: path: { inherit name path; }) entries else entries;
    in
    build {
      inherit name;
      module = "link_tree";
      order.entries = map (entry: { inherit (entry) name; path = "${entry.path}"; }) list;
      passthru.entries = builtins.listToAttrs (map (entry: lib.nameValuePair entry.name entry.path) list);
    };
  linkFarmFromDrvs = name: drvs: pkgs.linkFarm name (map (drv: { inherit (drv) name; path = drv; }) drvs);
}
