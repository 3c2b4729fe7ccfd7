let
  inherit (builtins) attrNames concatMap concatStringsSep elem filter foldl' isAttrs isFunction listToAttrs mapAttrs;

  defaultSystems = [ "aarch64-darwin" "aarch64-linux" "x86_64-darwin" "x86_64-linux" ];
  allSystems = defaultSystems ++ [
    "armv5tel-linux" "armv6l-linux" "armv7l-linux" "i686-linux" "mipsel-linux" "powerpc64le-linux" "riscv64-linux"
    "x86_64-freebsd"
  ];

  isDerivation = value: isAttrs value && value.type or null == "derivation";

  # One attribute a system, of each attribute that `f` gives: `packages.hello` becomes `packages.SYSTEM.hello`.
  eachSystem = eachSystemOp (f: system: result:
    mapAttrs (name: value: result.${name} or { } // { ${system} = value; }) (f system));

  # What `f` gives, as it is.
  eachSystemPassThrough = eachSystemOp (f: system: _result: f system);

  eachSystemOp = op: systems: f:
    foldl' (result: system: result // op f system result) { } systems;

  # The packages of nested sets as one set, with the names that lead to each: `a/b`.
  flattenTree = tree:
    let
      walk = path: value:
        let key = concatStringsSep "/" path; in
        if isDerivation value then [{ name = key; inherit value; }]
        else if isAttrs value && (path == [ ] || value.recurseForDerivations or false) then
          concatMap (name: walk (path ++ [ name ]) value.${name}) (filter (name: name != "recurseForDerivations") (attrNames value))
        else [ ];
    in
    listToAttrs (walk [ ] tree);
in
{
  inherit allSystems defaultSystems eachSystem eachSystemPassThrough flattenTree;

  # Each system under its own name: a misspelt one is a missing attribute.
  system = listToAttrs (map (name: { inherit name; value = name; }) allSystems);

  eachDefaultSystem = eachSystem defaultSystems;
  eachDefaultSystemPassThrough = eachSystemPassThrough defaultSystems;
  eachSystemMap = systems: f: listToAttrs (map (name: { inherit name; value = f name; }) systems);
  eachDefaultSystemMap = f: listToAttrs (map (name: { inherit name; value = f name; }) defaultSystems);

  mkApp =
    { drv
    , name ? drv.pname or drv.name
    , exePath ? drv.passthru.exePath or "/bin/${name}"
    }:
    { type = "app"; program = "${drv}${exePath}"; };

  # The packages that are for a system, of those that say which.
  filterPackages = system: packages:
    let
      isThere = package:
        isDerivation package && !(package.meta.broken or false)
        && elem system (package.meta.hydraPlatforms or package.meta.platforms or [ system ]);
      names = filter (name: isThere packages.${name}) (attrNames packages);
    in
    listToAttrs (map (name: { inherit name; value = packages.${name}; }) names);

  # Sets of outputs as one; each attribute of two levels is merged.
  meld = inputs: parts:
    let
      merge = left: right:
        left // mapAttrs (name: value: if isAttrs value && isAttrs (left.${name} or null) then left.${name} // value else value) right;
    in
    foldl' merge { } (map (part: import part inputs) parts);

  # Outputs by an overlay that has all packages below one name.
  simpleFlake =
    { self
    , nixpkgs
    , name
    , overlay ? null
    , preOverlays ? [ ]
    , systems ? defaultSystems
    , config ? { }
    , shell ? null
    }:
    let
      read = value: if value != null && !(isFunction value) then import value else value;
      overlayFunction = read overlay;
      shellFunction = read shell;
      ofSystem = system:
        let
          pkgs = import nixpkgs {
            inherit system config;
            overlays = preOverlays ++ (if overlayFunction == null then [ ] else [ overlayFunction ]);
          };
          packages = pkgs.${name} or { };
          flat = flattenTree packages;
        in
        { packages = flat; legacyPackages = packages; }
        // (if packages ? defaultPackage then { defaultPackage = packages.defaultPackage; packages = flat // { default = packages.defaultPackage; }; } else { })
        // (if packages ? checks then { checks = flattenTree packages.checks; } else { })
        // (if shellFunction != null then { devShell = shellFunction { inherit pkgs; }; devShells.default = shellFunction { inherit pkgs; }; }
        else if packages ? devShell then { inherit (packages) devShell; devShells.default = packages.devShell; }
        else { });
    in
    eachSystem systems ofSystem // (if overlayFunction == null then { } else { overlay = overlayFunction; overlays.default = overlayFunction; });

  check-utils = system: {
    isEqual = left: right:
      if left == right then derivation { name = "equal"; inherit system; builder = "/bin/sh"; args = [ "-c" ": > $out" ]; }
      else throw "two values that should be equal are not";
    hasKey = set: key:
      if set ? ${key} then derivation { name = "has-key"; inherit system; builder = "/bin/sh"; args = [ "-c" ": > $out" ]; }
      else throw "the set has no '${key}', but ${concatStringsSep ", " (attrNames set)}";
  };
}
