# The types whose values are modules, options and types.
{ lib, self, making }:

let
  inherit (builtins) attrNames filter head isAttrs length mapAttrs typeOf;
  inherit (lib.attrsets) optionalAttrs;
  inherit (lib.lists) last;
  inherit (lib.modules)
    evalModules evalOptionValue fixupOptionType mergeOptionDecls mkOptionDefault setDefaultModuleLocation;
  inherit (lib.options) getFiles isOption mkOption showFiles showOption;
  inherit (making) coherent merging;
  inherit (self) mkOptionType;

  types = {
    submodule = modules: types.submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = lib.lists.toList modules;
    };
    submoduleWith =
      { modules, specialArgs ? { }, shorthandOnlyDefinesConfig ? null, description ? null, class ? null }@given:
      let
        base = evalModules {
          inherit class specialArgs;
          modules = [{ _module.args.name = mkOptionDefault "‹name›"; }] ++ modules;
        };
        inherit (base._module) freeformType;
        asModule = { file, value }:
          if shorthandOnlyDefinesConfig == true && isAttrs value then { _file = file; config = value; }
          else setDefaultModuleLocation file value;
      in
      mkOptionType {
        name = "submodule";
        description = if description != null then description else freeformType.description or "submodule";
        check = coherent isModule;
        merge = merging ({ loc, defs }:
          let
            configuration = base.extendModules {
              modules = [{ _module.args.name = last loc; }] ++ map asModule defs;
              prefix = loc;
            };
          in
          { value = configuration.config; valueMeta = { inherit configuration; }; });
        emptyValue.value = base.config;
        getSubOptions = prefix:
          (base.extendModules { inherit prefix; }).options
          // optionalAttrs (freeformType != null) { _freeformOptions = freeformType.getSubOptions prefix; };
        getSubModules = modules;
        substSubModules = modules: types.submoduleWith (given // { inherit modules; });
        nestedTypes = optionalAttrs (freeformType != null) { inherit freeformType; };
        functor = making.functorOf "submodule" types.submoduleWith
          { inherit modules specialArgs shorthandOnlyDefinesConfig description class; }
          (a: b: {
            modules = a.modules ++ b.modules;
            specialArgs =
              let twice = builtins.intersectAttrs a.specialArgs b.specialArgs;
              in
              if twice == { } then a.specialArgs // b.specialArgs
              else throw "A submoduleWith option is declared multiple times with the same specialArgs \"${toString (attrNames twice)}\"";
            shorthandOnlyDefinesConfig =
              agreed "shorthandOnlyDefinesConfig" a.shorthandOnlyDefinesConfig b.shorthandOnlyDefinesConfig;
            description = agreed "description" a.description b.description;
            class = agreed "class" a.class b.class;
          });
      };

    # A module that is evaluated elsewhere.
    deferredModule = types.deferredModuleWith { };
    deferredModuleWith = { staticModules ? [ ] }: mkOptionType {
      name = "deferredModule";
      description = "module";
      descriptionClass = "noun";
      check = isModule;
      merge = loc: defs: {
        imports = staticModules
          ++ map (def: setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value) defs;
      };
      inherit (types.submoduleWith { modules = staticModules; }) getSubOptions;
      getSubModules = if staticModules == [ ] then null else staticModules;
      substSubModules = staticModules: types.deferredModuleWith { inherit staticModules; };
      functor = making.functorOf "deferredModule" types.deferredModuleWith { inherit staticModules; }
        (a: b: { staticModules = a.staticModules ++ b.staticModules; });
    };

    # A set of one attribute, whose name says by which of the options it is.
    attrTag = tags:
      let
        options = mapAttrs
          (tag: option:
            if isOption option then { loc = [ tag ]; declarations = [ ]; options = [ ]; type = self.unspecified; } // option
            else throw "In attrTag, each tag value must be an option, but tag ${tag} was a ${
              if self.isOptionType option then "bare type, not wrapped in mkOption." else "${typeOf option}."}")
          tags;
        tagOf = def: head (attrNames def.value);
      in
      mkOptionType {
        name = "attrTag";
        description = "attribute-tagged union with choices: ${
          lib.strings.concatMapStringsSep ", " lib.strings.escapeNixIdentifier (attrNames tags)}";
        descriptionClass = "noun";
        check = value: isAttrs value && length (attrNames value) == 1 && tags ? ${head (attrNames value)};
        merge = loc: defs:
          let
            tag = tagOf (head defs);
            other = filter (def: tagOf def != tag) defs;
          in
          if other == [ ] then {
            ${tag} = (evalOptionValue (loc ++ [ tag ]) options.${tag}
              (map (def: { inherit (def) file; value = def.value.${tag}; }) defs)).value;
          }
          else throw "The option `${showOption loc}` is defined both as `${tag}` and `${tagOf (head other)}`, in ${showFiles (getFiles defs)}.";
        getSubOptions = prefix: mapAttrs (tag: option: option // { loc = prefix ++ [ tag ]; }) options;
        nestedTypes = mapAttrs (_: option: option.type) options;
        functor = making.functorOf "attrTag" ({ tags }: types.attrTag tags) { inherit tags; } (a: b: {
          tags = a.tags // b.tags // mapAttrs
            (tag: option: mergeOptionDecls [ tag ]
              (map (options: { _file = "<attrTag>"; pos = null; inherit options; }) [ a.tags.${tag} option ]))
            (builtins.intersectAttrs a.tags b.tags);
        });
      };

    # Types and options are values, too; several make one as those of several declarations do.
    optionType = declared "optionType" self.isOptionType
      (type: mkOption { inherit type; })
      (loc: option: (fixupOptionType loc option).type);
    optionDeclaration = declared "optionDeclaration" isOption lib.trivial.id (_: lib.trivial.id);
  };

  isModule = value: isAttrs value || lib.trivial.isFunction value || self.path.check value;

  agreed = what: a: b:
    if a == null then b
    else if b == null || a == b then a
    else throw "A submoduleWith option is declared multiple times with conflicting ${what} values \"${toString a}\" and \"${toString b}\".";

  declared = name: check: asOption: result: mkOptionType {
    inherit name check;
    descriptionClass = "noun";
    merge = loc: defs:
      if length defs == 1 then (head defs).value
      else
        result loc (mergeOptionDecls loc
          (map (def: { _file = def.file; pos = null; options = asOption def.value; }) defs));
  };
in
types
