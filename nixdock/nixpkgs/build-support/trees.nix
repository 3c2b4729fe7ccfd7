# Trees of links: symlinkJoin, buildEnv, linkFarm.
{ lib, builder, pkgs }:

let
  runPython = import ./python-builder.nix { inherit lib builder; inherit (pkgs.buildPlatform) system; };
  source = import ./python-source.nix { inherit lib; } ./builders;

  # Links need nothing but Python; commands that follow them need a build environment.
  build = { name, module, order, postBuild ? "", extra ? { }, passthru ? { }, meta ? { } }:
    let
      links = runPython { inherit name source module order passthru meta; };
      copied = pkgs.runCommandLocal name
        (extra // { inherit postBuild passthru links; meta = { inherit name; } // meta; })
        ''
          cp -r --no-dereference --preserve=mode,links "$links" $out
          chmod -R u+w $out
          eval "$postBuild"
        '';
    in
    if postBuild == "" && extra == { } then
      links // { overrideAttrs = change: copied.overrideAttrs change; }
    else
      copied;

  # Paths as a derivation's attribute would have them: what is beside the expression comes into the store.
  texts = value:
    if builtins.isList value then lib.concatMap texts value
    else if value == null then [ ]
    else if builtins.isPath value then [ "${value}" ]
    else [ (toString value) ];

  outputsOf = extraOutputs: package:
    if !(lib.isDerivation package) then [ package ]
    else if package.outputSpecified or false then [ package ]
    else
      map (output: package.${output})
        (lib.unique (package.meta.outputsToInstall or [ "out" ] ++ builtins.filter (output: package ? ${output}) extraOutputs));

  # The name that a tree has: its own, or made of `pname` and `version`.
  nameOf = function: args:
    args.name or (
      if args ? pname then args.pname + lib.optionalString (args.version or null != null) "-${args.version}"
      else throw "${function} needs `name`, or `pname` and `version`"
    );
  named = args: lib.filterAttrs (_: value: value != null) { pname = args.pname or null; version = args.version or null; };
in
{
  symlinkJoin =
    { paths
    , stripPrefix ? ""
    , failOnMissing ? stripPrefix == ""
    , postBuild ? ""
    , meta ? { }
    , passthru ? { }
    , preferLocalBuild ? true
    , allowSubstitutes ? false
    , ...
    }@args:
    assert lib.assertMsg (stripPrefix == "" || lib.hasPrefix "/" stripPrefix)
      "symlinkJoin of ${nameOf "symlinkJoin" args}: stripPrefix must begin with a slash, as in \"/share\", but it is \"${stripPrefix}\"";
    build {
      name = nameOf "symlinkJoin" args;
      inherit postBuild meta;
      passthru = named args // { inherit paths; } // passthru;
      module = "link_tree";
      order = { paths = texts paths; inherit stripPrefix failOnMissing; };
      extra = removeAttrs args [
        "name" "pname" "version" "paths" "stripPrefix" "failOnMissing" "postBuild" "meta" "passthru" "preferLocalBuild"
        "allowSubstitutes"
      ];
    };

  buildEnv = lib.makeOverridable (
    { name ? null
    , pname ? null
    , version ? null
    , paths
    , pathsToLink ? [ "/" ]
    , extraOutputsToInstall ? [ ]
    , extraPrefix ? ""
    , ignoreCollisions ? false
    , checkCollisionContents ? true
    , ignoreSingleFileOutputs ? false
      # A file that is linked to as `manifest`.
    , manifest ? ""
    , postBuild ? ""
    , nativeBuildInputs ? [ ]
    , buildInputs ? [ ]
      # Whether what the packages need is linked to as well.
    , includeClosures ? false
    , derivationArgs ? { }
    , passthru ? { }
    , meta ? { }
    }@args:
    build {
      name = nameOf "buildEnv" (lib.filterAttrs (_: value: value != null) { inherit name pname version; });
      inherit postBuild meta;
      passthru = named args // { inherit paths pathsToLink; } // passthru;
      module = "build_env";
      order = {
        inherit pathsToLink extraPrefix ignoreCollisions checkCollisionContents ignoreSingleFileOutputs;
        manifest = "${manifest}";
        packages = lib.concatMap
          (package: lib.optional (package != null) {
            paths = texts (outputsOf extraOutputsToInstall package);
            priority = package.meta.priority or lib.meta.defaultPriority;
          })
          (lib.flatten paths);
        closure = if includeClosures then "${pkgs.writeClosure (lib.concatMap (outputsOf extraOutputsToInstall) (lib.flatten paths))}" else null;
      };
      extra = derivationArgs
        // lib.optionalAttrs (nativeBuildInputs != [ ]) { inherit nativeBuildInputs; }
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

  # A package's program alone, without what else the package has.
  onlyBin = package: pkgs.runCommandLocal "${package.name}-only-bin" { inherit (package) meta; } ''
    mkdir -p $out
    ln -s ${lib.getBin package}/bin $out/bin
  '';
}
