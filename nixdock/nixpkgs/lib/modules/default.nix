# The module system: modules declare options and define them, and what comes is the values of the options.
{ lib }:

let
  inherit (builtins)
    addErrorContext any attrNames concatMap elem filter genericClosure head isAttrs isList length mapAttrs removeAttrs
    typeOf;
  inherit (lib.attrsets) attrByPath optionalAttrs setAttrByPath zipAttrsWith;
  inherit (lib.lists) imap1 last optional reverseList;
  inherit (lib.options) isOption mkOption showDefs showOption;
  inherit (lib.strings) concatMapStringsSep optionalString;
  inherit (lib.trivial) isFunction warnIf;
  inherit (properties) describe mergeDefinitions mkMerge mkOptionDefault placeIn pushDownProperties;

  properties = import ./properties.nix { inherit lib; };

  hint = "if you get an infinite recursion here, you probably reference `config` in `imports`: import always, and have the module take effect by `mkIf`";

  # What every evaluation has.
  moduleOptions = {
    args = mkOption {
      type = lib.types.lazyAttrsOf lib.types.raw;
      description = "More arguments for all modules; `specialArgs` are those that `imports` may depend on.";
    };
    check = mkOption {
      type = lib.types.bool;
      internal = true;
      description = "Whether a definition of an option that nobody declares is an error.";
    };
    freeformType = mkOption {
      type = lib.types.nullOr lib.types.optionType;
      internal = true;
      default = null;
      description = "The type of what is defined without a declaration; null where nothing may be.";
    };
    specialArgs = mkOption {
      internal = true;
      readOnly = true;
      description = "The arguments given to `evalModules`.";
    };
  };

  evaluation = {
    evalModules = { modules, prefix ? [ ], specialArgs ? { }, class ? null, args ? { }, check ? true }@given:
      let
        own = {
          _file = "lib/modules";
          key = "lib/modules";
          options._module = moduleOptions // { check = moduleOptions.check // { default = check; }; };
          config._module = {
            args = args // { inherit extendModules; moduleType = type; };
            inherit specialArgs;
          };
        };
        type = lib.types.submoduleWith { inherit modules specialArgs class; };
        extendModules = { modules ? [ ], specialArgs ? { }, prefix ? given.prefix or [ ] }:
          evaluation.evalModules (given // {
            inherit prefix;
            modules = given.modules ++ modules;
            specialArgs = given.specialArgs or { } // specialArgs;
          });

        collected = collect (specialArgs.modulesPath or "") class
          ({
            inherit lib options specialArgs;
            config = addErrorContext hint config;
            _class = class;
            _prefix = prefix;
          } // specialArgs)
          (modules ++ [ own ]);
        merged = evaluation.mergeModules prefix collected.modules;
        options = merged.matchedOptions;
        declared = valuesOf options;
        inherit (declared._module) freeformType;
        config =
          if freeformType == null then declared
          else lib.attrsets.recursiveUpdate freeform declared;
        freeform =
          if merged.unmatchedDefns == [ ] then { }
          else freeformType.merge prefix
            (map (def: { inherit (def) file; value = setAttrByPath def.prefix def.value; }) merged.unmatchedDefns);
        checked =
          if freeformType == null && merged.unmatchedDefns != [ ] && declared._module.check then
            unmatched prefix options (head merged.unmatchedDefns)
          else x: x;
      in
      {
        _type = "configuration";
        options = checked options;
        config = checked (removeAttrs config [ "_module" ]);
        _module = checked config._module;
        inherit (collected) graph;
        inherit class extendModules type;
      };

    fixMergeModules = modules: args: evaluation.evalModules { inherit modules args; };

    # A module as { _file, _class, key, disabledModules, imports, options, config }.
    unifyModuleSyntax = file: key: module:
      let
        stray = removeAttrs module
          [ "_class" "_file" "key" "disabledModules" "imports" "options" "config" "meta" "freeformType" ];
        isLong = module ? config || module ? options;
        config =
          if isLong then module.config or { }
          else removeAttrs module [ "_class" "_file" "key" "disabledModules" "require" "imports" "freeformType" ];
        more = optionalAttrs (isLong && module ? meta) { inherit (module) meta; }
          // optionalAttrs (module ? freeformType) { _module = { inherit (module) freeformType; }; };
      in
      if !isAttrs module then throw "module ${file} (${key}) does not look like a module."
      else if isLong && stray != { } then
        describe (builtins.unsafeGetAttrPos (head (attrNames stray)) module) (throw "Module `${key}' has an unsupported attribute `${head (attrNames stray)}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString (attrNames stray)}) into the explicit `config' attribute.")
      else {
        _file = toString module._file or file;
        _class = module._class or null;
        key = toString module.key or key;
        disabledModules = module.disabledModules or [ ];
        imports = module.require or [ ] ++ module.imports or [ ];
        options = module.options or { };
        config = if more == { } then config else mkMerge [ config more ];
      };

    # Each argument that a module names is looked for when it is used, in what `_module.args` says at last.
    applyModuleArgs = key: f: args:
      let wanted = lib.trivial.functionArgs f;
      in f (args // mapAttrs
        (name: _: addErrorContext "while evaluating the module argument `${name}' in \"${key}\":"
          (args.${name} or (describe (builtins.unsafeGetAttrPos name wanted) args.config._module.args.${name})))
        wanted);
    applyModuleArgsIfFunction = key: module: args:
      if isFunction module then evaluation.applyModuleArgs key module args else module;

    # Modules as they come out of `unifyModuleSyntax`, the definitions of the first ones first.
    mergeModules = prefix: modules:
      evaluation.mergeModules' prefix modules (concatMap
        (module: map (config: { file = module._file; inherit config; whole = module.config; })
          (pushDownProperties module.config))
        modules);
    mergeModules' = prefix: modules: configs:
      let
        declarations = zipAttrsWith (_: found: found) (map
          (module: mapAttrs
            (name: options: {
              inherit (module) _file;
              inherit options;
              pos = builtins.unsafeGetAttrPos name module.options;
            })
            (checkTree prefix module))
          modules);
        definitions = zipAttrsWith (_: found: found) (map
          ({ file, config, whole ? config }: mapAttrs
            (name: value: { inherit file value; pos = placeIn name whole; })
            (checkDefinition prefix file config))
          configs);
        found = mapAttrs (name: at (prefix ++ [ name ]) (definitions.${name} or [ ])) declarations;
      in
      {
        matchedOptions = mapAttrs (_: one: one.matchedOptions) found;
        # What no option takes, each with its path from here.
        unmatchedDefns =
          concatMap (name: map (def: def // { prefix = [ name ] ++ def.prefix; }) found.${name}.unmatchedDefns)
            (attrNames found)
          ++ concatMap (name: map (def: def // { prefix = [ name ]; }) definitions.${name})
            (attrNames (removeAttrs definitions (attrNames declarations)));
      };

    # Several declarations, { _file, pos, options }, as one.
    mergeOptionDecls = loc: declarations:
      builtins.foldl'
        (merged: one:
          let
            option = one.options;
            both = name: option ? ${name} && merged ? ${name};
            type = merged.type.typeMerge option.type.functor;
            subModules = option.type.getSubModules or null;
          in
          if any both [ "default" "example" "description" "apply" ] || both "type" && type == null then
            throw "The option `${showOption loc}' in `${one._file}' is already declared in ${lib.options.showFiles merged.declarations}."
          else
            option // merged // {
              declarations = merged.declarations ++ [ one._file ];
              declarationPositions = merged.declarationPositions
                ++ [ (if one.pos or null != null then one.pos else { file = one._file; line = null; column = null; }) ];
              # The modules of a submodule, which may be declared in several places.
              options =
                if subModules == null then merged.options
                else map (evaluation.setDefaultModuleLocation one._file) subModules ++ merged.options;
            } // optionalAttrs (both "type") { inherit type; })
        { inherit loc; declarations = [ ]; declarationPositions = [ ]; options = [ ]; }
        declarations;

    fixupOptionType = _loc: option:
      if option.type.getSubModules or null == null then option // { type = option.type or lib.types.unspecified; }
      else option // { type = option.type.substSubModules option.options; options = [ ]; };

    # An option with its value, and what is known of its definitions.
    evalOptionValue = loc: option: definitions:
      let
        default = { file = head option.declarations; value = option.default; };
        all = optional (option ? default) (default // { value = mkOptionDefault option.default; }) ++ definitions;
        merged =
          if option.readOnly or false && length all > 1 then
            throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs (map (def: def // { value = (mergeDefinitions loc option.type [ def ]).mergedValue; }) all)}"
          else mergeDefinitions loc option.type all;
        inherit (merged) defsFinal;
        # What nobody defines is told where it is declared.
        mergedValue = if merged.isDefined then merged.mergedValue else describe declared merged.mergedValue;
        declared = lib.lists.findFirst (pos: pos.line != null) null option.declarationPositions or [ ];
        deprecation = option.type.deprecationMessage or null;
        warned = warnIf (deprecation != null)
          "The type `types.${option.type.name}' of option `${showOption loc}' is deprecated. ${toString deprecation}";
      in
      option // {
        value = addErrorContext "while evaluating the option `${showOption loc}':"
          (warned (if option ? apply then option.apply mergedValue else mergedValue));
        inherit (merged.defsFinal') highestPrio;
        inherit (merged.checkedAndMerged) valueMeta;
        definitionsWithLocations = defsFinal;
        definitions = lib.options.getValues defsFinal;
        files = lib.options.getFiles defsFinal;
        inherit (merged) isDefined;
        __toString = _: showOption loc;
      };

    setDefaultModuleLocation = file: module: { _file = file; imports = [ module ]; };
    importApply = path: argument: evaluation.setDefaultModuleLocation path (import path argument);
    importJSON = file: { _file = file; config = lib.trivial.importJSON file; };
    importTOML = file: { _file = file; config = lib.trivial.importTOML file; };
  };

  valuesOf = mapAttrs (_: option: if isOption option then option.value else valuesOf option);

  # What is declared at `loc`: an option, or options below it.
  at = loc: definitions: declarations:
    let
      isDeclaration = one: isOption one.options;
      options = filter isDeclaration declarations;
      trees = filter (one: !isDeclaration one) declarations;
      # A tree of options next to a submodule is a part of that.
      asOption = tree: tree // {
        options = mkOption { type = lib.types.submoduleWith { modules = [{ inherit (tree) options; }]; }; };
      };
      nested = evaluation.mergeModules' loc trees
        (concatMap
          (def: map (config: { inherit (def) file; inherit config; whole = def.value; }) (pushDownProperties def.value))
          definitions);
      evaluated = decls: {
        matchedOptions = evaluation.evalOptionValue loc
          (evaluation.fixupOptionType loc (evaluation.mergeOptionDecls loc decls))
          definitions;
        unmatchedDefns = [ ];
      };
      first = head options;
    in
    if options == [ ] then nested
    else if trees == [ ] then evaluated options
    else if builtins.all (one: one.options.type.getSubModules or null != null) options then
      evaluated (map (one: if isDeclaration one then one else asOption one) declarations)
    else
      throw ''
        The option `${showOption loc}' in module `${first._file}' would be a parent of the following options, but its type `${first.options.type.description or "<no description>"}' does not support nested options.
        ${concatMapStringsSep "\n" (tree: "- option(s) with prefix `${showOption (loc ++ [ (head (attrNames tree.options)) ])}' in module `${tree._file}'") trees}'';

  checkTree = prefix: { _file, options, ... }:
    if !isAttrs options then
      throw "An option declaration for `${showOption prefix}' has type\n`${typeOf options}' rather than an attribute set.\nDid you mean to define this outside of `options'?"
    else if options ? _type && options._type != "option" then
      throw "In module ${_file}: expected an option declaration at option path `${showOption prefix}` but got an attribute set with type ${options._type}"
    else options;

  checkDefinition = prefix: file: config:
    if isAttrs config then config
    else throw "In module `${file}', you're trying to define a value of type `${typeOf config}'\nrather than an attribute set for the option\n`${showOption prefix}', which has options below it and none of its own.";

  # Refuses the first definition that no option takes.
  unmatched = prefix: options: def:
    let
      name = showOption (prefix ++ def.prefix);
      above = lib.lists.init def.prefix;
      siblings = attrByPath above { } options;
      near = lib.lists.take 3 (lib.lists.sortOn (lib.strings.levenshtein (last def.prefix))
        (attrNames (removeAttrs siblings [ "_module" ])));
      quoted = map (other: "`${showOption (prefix ++ above ++ [ other ])}'") near;
    in
    describe def.pos (throw ("The option `${name}' does not exist. Definition values:${
      addErrorContext "while evaluating the error message for definitions for `${name}', which is an option that does not exist:"
        (showDefs [ def ])}\n\n"
    + (if attrNames options == [ "_module" ] then
      (if prefix == [ ] then "It seems as if you're trying to declare an option by placing it into `config' rather than `options'!"
      else "However there are no options defined in `${showOption prefix}'. Are you sure you've declared your options properly? This can happen if you e.g. declared your options in `types.submodule' under `config' rather than `options'.")
    else if quoted == [ ] then ""
    else "Did you mean ${lib.strings.concatStringsSep ", " (lib.lists.init quoted)}${optionalString (length quoted > 1) " or "}${last quoted}?")));

  # All modules and what they import, each once and without those that one of them disables; the last one first.
  collect = modulesPath: class: args: modules:
    let
      checkClass = module:
        if class == null || module._class == null || module._class == class then module
        else throw "The module `${module._file}` (class: \"${module._class}\") cannot be imported into a module evaluation that expects class \"${class}\".";
      below = file: key: imap1 (n: given:
        let module = checkClass (load args file "${key}:anon-${toString n}" given);
        in { inherit (module) key; inherit module; modules = below module._file module.key module.imports; });
      tree = below lib.options.unknownModule "" modules;
      closure = keep: map (one: one.module)
        (genericClosure { startSet = keep tree; operator = one: keep one.modules; });
      disabled = concatMap (module: map (keyOf module._file) module.disabledModules) (closure (x: x));
      keyOf = file: other:
        if lib.strings.isConvertibleWithToString other then
          (if lib.strings.hasPrefix "/" (toString other) then toString other else "${toString modulesPath}/${toString other}")
        else toString other.key
          or (throw "Module `${file}' contains a disabledModules item that is an attribute set, presumably a module, that does not have a `key' attribute.");
      graphOf = map ({ key, module, modules }: {
        inherit key;
        file = module._file;
        disabled = elem key disabled;
        imports = graphOf modules;
      });
    in
    {
      modules = reverseList (closure (if disabled == [ ] then x: x else filter (one: !elem one.key disabled)));
      graph = graphOf (lib.lists.init tree);
    };

  # What stands in `modules` or `imports`, as a module.
  load = args: file: key: module:
    let kind = module._type or "module"; in
    if isFunction module then
      evaluation.unifyModuleSyntax file key (evaluation.applyModuleArgs key module args)
    else if isAttrs module then
      if kind == "module" then evaluation.unifyModuleSyntax file key module
      else if elem kind [ "if" "merge" "override" ] then evaluation.unifyModuleSyntax file key { config = module; }
      else throw ("Expected a module, but found a value of type \"${kind}\", while trying to load a module into ${file}"
        + optionalString (args._prefix != [ ]) ", while trying to load a module into `${showOption args._prefix}'" + "."
        + optionalString (kind == "configuration")
        " It is what `evalModules` made of modules already: please only import the modules that make up the configuration.")
    else if isList module then
      throw "Module imports can't be nested lists. Perhaps you meant to remove one level of lists? Definitions: ${showDefs [{ inherit file; value = module; }]}"
    else
      let path = toString module;
      in evaluation.unifyModuleSyntax path path
        (evaluation.applyModuleArgsIfFunction path (import module) args);
in
properties // evaluation // import ./renames.nix { inherit lib; }
