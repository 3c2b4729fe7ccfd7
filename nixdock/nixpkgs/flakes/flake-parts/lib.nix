# Flakes as modules: `mkFlake { inherit inputs; } { systems = [ … ]; perSystem = { pkgs, ... }: { … }; flake = { … }; }`.
let
  # The library is that of the flake's own package set, whatever its input is called.
  libOf = inputs:
    let
      named = map (name: inputs.${name}) (builtins.filter (name: inputs ? ${name}) [ "nixpkgs-lib" "nixpkgs" ]);
      having = builtins.filter (input: input ? lib.evalModules) (named ++ builtins.attrValues (removeAttrs inputs [ "self" ]));
    in
    if having == [ ] then throw "flake-parts needs an input `nixpkgs`, for its library"
    else (builtins.head having).lib;

  importApply = file: arguments: { _file = toString file; imports = [ (import file arguments) ]; };

  # The outputs of which `flake` has one for each system, and what a system's module may say of each.
  perSystemOutputs = lib:
    let
      set = type: lib.mkOption { inherit type; default = { }; };
      derivations = set (lib.types.lazyAttrsOf lib.types.package);
    in
    {
      packages = derivations;
      checks = derivations;
      devShells = derivations;
      legacyPackages = set (lib.types.lazyAttrsOf lib.types.raw);
      apps = set (lib.types.lazyAttrsOf (lib.types.submodule {
        options = {
          type = lib.mkOption { type = lib.types.enum [ "app" ]; default = "app"; };
          program = lib.mkOption {
            type = lib.types.coercedTo lib.types.package lib.getExe lib.types.str;
          };
          meta = lib.mkOption { type = lib.types.lazyAttrsOf lib.types.raw; default = { }; };
        };
      }));
      formatter = lib.mkOption { type = lib.types.nullOr lib.types.package; default = null; };
    };

  evalFlakeModule =
    { inputs
    , specialArgs ? { }
    , self ? inputs.self or (throw "mkFlake needs the flake's own inputs: mkFlake { inherit inputs; }")
      # The file of the flake, without a look at its outputs.
    , moduleLocation ? let place = builtins.unsafeGetAttrPos "inputs" args; in if place == null then "flake.nix" else place.file
    , ...
    }@args:
    module:
    let
      lib = libOf inputs;
      flake-parts-lib = lib' // {
        inherit lib;
        # Options of each system, from a module of the flake: `options.perSystem = mkPerSystemOption { options = … }`.
        mkPerSystemOption = module: lib.mkOption {
          type = lib.types.deferredModuleWith { staticModules = [ module ]; };
        };
      };

      # A flake's outputs of one system, without the system's name: `inputs'.other.packages.default`.
      ofSystem = system: flake: lib.mapAttrs (name: _: flake.${name}.${system}) (perSystemOutputs lib);

      systemModule = config: system: {
        options = perSystemOutputs lib // {
          overlayAttrs = lib.mkOption { type = lib.types.lazyAttrsOf lib.types.raw; default = { }; };
        };
        config._module.args = {
          inputs' = lib.mapAttrs (_: ofSystem system) inputs;
          self' = ofSystem system self;
          # A flake may have a package set of its own making.
          pkgs = lib.mkOptionDefault (
            (inputs.nixpkgs or (throw "perSystem has no `pkgs`: the flake has no input `nixpkgs`; set _module.args.pkgs")).legacyPackages.${system}
          );
        };
      };

      # The outputs that several modules add to.
      manyModulesOutputs =
        let
          setOf = type: lib.mkOption { type = lib.types.lazyAttrsOf type; default = { }; };
          ofSystems = lib.mapAttrs (_: _: setOf (lib.types.lazyAttrsOf lib.types.raw)) (perSystemOutputs lib);
        in
        ofSystems // {
          formatter = setOf lib.types.raw;
          overlays = setOf lib.types.raw;
          nixosConfigurations = setOf lib.types.raw;
          nixosModules = setOf lib.types.deferredModule;
        };

      base = { config, ... }: {
        _file = "flake-parts";
        options = {
          systems = lib.mkOption { type = lib.types.listOf lib.types.str; };
          perSystem = lib.mkOption { type = lib.types.deferredModule; default = { }; };
          flake = lib.mkOption {
            type = lib.types.submodule {
              freeformType = lib.types.lazyAttrsOf lib.types.raw;
              options = manyModulesOutputs;
            };
            default = { };
          };
          allSystems = lib.mkOption { type = lib.types.lazyAttrsOf lib.types.raw; internal = true; };
          debug = lib.mkOption { type = lib.types.bool; default = false; };
        };
        config = {
          allSystems = lib.genAttrs config.systems evalSystem;
          flake =
            let
              all = lib.genAttrs config.systems (system: (evalSystem system).config);
              transposed = lib.mapAttrs (name: _: lib.mapAttrs (_: one: one.${name}) all)
                (removeAttrs (perSystemOutputs lib) [ "formatter" ]);
            in
            # There even where it is empty: else a flake's formatter would be asked for with each of its outputs.
            transposed // {
              formatter = lib.filterAttrs (_: formatter: formatter != null) (lib.mapAttrs (_: one: one.formatter) all);
            };
          _module.args = { inherit withSystem moduleWithSystem getSystem; };
        };
      };

      evalSystem = system: lib.evalModules {
        specialArgs = { inherit system flake-parts-lib; };
        modules = [ (systemModule evaluated.config system) evaluated.config.perSystem ];
        prefix = [ "perSystem" system ];
        class = "perSystem";
      };
      argumentsOf = system:
        let one = evaluated.config.allSystems.${system} or (evalSystem system);
        in one._module.args // { inherit system lib; inherit (one) config options; };

      getSystem = system: (evaluated.config.allSystems.${system} or (evalSystem system)).config;
      withSystem = system: f: f (argumentsOf system);
      # What a module imports must not depend on its `pkgs`: each argument is looked at when it is used.
      moduleWithSystem = f: { pkgs, ... }: {
        imports = [ (f (lib.mapAttrs (name: _: (argumentsOf pkgs.stdenv.hostPlatform.system).${name}) (lib.functionArgs f))) ];
      };

      evaluated = lib.evalModules {
        specialArgs = { inherit self inputs flake-parts-lib; } // specialArgs;
        modules = [ base (lib.setDefaultModuleLocation moduleLocation module) ];
        class = "flake";
      };
    in
    evaluated;

  lib' = {
    inherit evalFlakeModule importApply;
    mkFlake = args: module: (evalFlakeModule args module).config.flake;
  };
in
lib'
