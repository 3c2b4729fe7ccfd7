# The types that are made of others.
{ lib, self }:

let
  inherit (builtins)
    any attrNames attrValues catAttrs concatLists concatMap filter foldl' groupBy head isAttrs isList length mapAttrs
    typeOf;
  inherit (lib.attrsets) mapAttrsToList zipAttrsWith;
  inherit (lib.lists) imap1 last;
  inherit (lib.modules)
    checkAndMerge dischargeProperties evalModules evalOptionValue filterOverrides' mergeDefinitions mergeOptionDecls
    mkOptionDefault setDefaultModuleLocation sortProperties valueOf;
  inherit (lib.options) getFiles getValues isOption mergeEqualOption showDefs showFiles showOption;
  inherit (lib.trivial) isFunction;
  inherit (self) mkOptionType optionDescriptionPhrase;

  isNoun = class: class == "noun";
  isNounOr = other: class: class == "noun" || class == other;
  phrase = optionDescriptionPhrase (isNounOr "composite");

  composed = {
    listOf = elemType: over {
      name = "listOf";
      make = composed.listOf;
      inherit elemType;
      step = [ "*" ];
      description = "list of ${phrase elemType}";
      check = isList;
      merge = merging ({ loc, defs }:
        let
          entries = filter (entry: entry.isDefined) (concatLists (imap1
            (n: { file, value }: imap1
              (m: value: mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType
                [{ inherit file value; }])
              value)
            defs));
        in
        { value = map (entry: entry.mergedValue) entries; valueMeta.list = map metaOf entries; });
      emptyValue.value = [ ];
    };
    nonEmptyListOf = elemType:
      let list = self.addCheck (composed.listOf elemType) (value: value != [ ]);
      in list // {
        description = "non-empty ${optionDescriptionPhrase isNoun list}";
        emptyValue = { };
        substSubModules = modules: composed.nonEmptyListOf (elemType.substSubModules modules);
      };

    attrsOf = elemType: composed.attrsWith { inherit elemType; };
    lazyAttrsOf = elemType: composed.attrsWith { inherit elemType; lazy = true; };
    # Lazily, an attribute is there before it is known whether a condition lets it be.
    attrsWith = { elemType, lazy ? false, placeholder ? "name" }: over {
      name = if lazy then "lazyAttrsOf" else "attrsOf";
      make = elemType: composed.attrsWith { inherit elemType lazy placeholder; };
      inherit elemType;
      step = [ "<${placeholder}>" ];
      description = (if lazy then "lazy attribute set of " else "attribute set of ") + phrase elemType;
      check = isAttrs;
      merge = merging ({ loc, defs }:
        let
          every = zipAttrsWith (name: mergeDefinitions (loc ++ [ name ]) elemType)
            (map ({ file, value }: mapAttrs (_: value: { inherit file value; }) value) defs);
          present = if lazy then every else lib.attrsets.filterAttrs (_: one: one.isDefined) every;
        in
        { value = mapAttrs (_: one: one.mergedValue) present; valueMeta.attrs = mapAttrs (_: metaOf) present; });
      emptyValue.value = { };
    };
    loaOf = elemType: composed.attrsOf elemType // {
      name = "loaOf";
      deprecationMessage = "types.loaOf takes sets alone by now: use types.attrsOf";
    };

    # Sets of one attribute each, in the order of their definitions; a set of several stands for several.
    attrListOf = elemType: composed.attrListWith { inherit elemType; };
    attrListWith = { elemType, asAttrs ? false, placeholder ? "name" }: over {
      name = "attrListOf";
      make = elemType: composed.attrListWith { inherit elemType asAttrs placeholder; };
      inherit elemType;
      step = [ "<${placeholder}>" ];
      description = "attribute list of ${phrase elemType}";
      check = value: isList value || isAttrs value;
      merge = merging ({ loc, defs }:
        let
          sets = concatMap
            ({ file, value }: if isAttrs value then [{ inherit file value; }] else map (value: { inherit file value; }) value)
            defs;
          wrong = filter (value: !isAttrs value || length (attrNames value) != 1)
            (concatMap (def: if isList def.value then def.value else [ ]) defs);
          given = concatMap
            ({ file, value }: concatLists (mapAttrsToList
              (name: value: map (value: { inherit file name value; }) (dischargeProperties value))
              value))
            sets;
          priorities = mapAttrs (_: named: (filterOverrides' named).highestPrio) (groupBy (def: def.name) given);
          entries = map
            (def: { inherit (def) name; merged = mergeDefinitions (loc ++ [ def.name ]) elemType [ def ]; })
            (sortProperties (concatMap
              (def:
                let alone = filterOverrides' [ def ];
                in if alone.highestPrio == priorities.${def.name} then alone.values else [ ])
              given));
        in
        {
          headError =
            if wrong == [ ] then null
            else {
              message = "Each list element must be a single-key attribute set, but got "
                + (if isAttrs (head wrong) then "${toString (length (attrNames (head wrong)))} keys." else "a ${typeOf (head wrong)}.");
            };
          value =
            if asAttrs then mapAttrs (_: map (entry: entry.merged.mergedValue)) (groupBy (entry: entry.name) entries)
            else map (entry: { ${entry.name} = entry.merged.mergedValue; }) entries;
          valueMeta.list = map (entry: metaOf entry.merged) entries;
        });
      emptyValue.value = if asAttrs then { } else [ ];
    };

    nullOr = elemType: over {
      name = "nullOr";
      make = composed.nullOr;
      inherit elemType;
      description = "null or ${optionDescriptionPhrase (isNounOr "conjunction") elemType}";
      descriptionClass = "conjunction";
      check = value: value == null || elemType.check value;
      merge = loc: defs:
        let nulls = filter (def: def.value == null) defs;
        in
        if nulls == [ ] then elemType.merge loc defs
        else if length nulls == length defs then null
        else throw "The option `${showOption loc}` is defined both null and not null, in ${showFiles (getFiles defs)}.";
      emptyValue.value = null;
    };

    uniq = composed.unique { message = ""; };
    unique = { message }: elemType: over {
      name = "unique";
      make = composed.unique { inherit message; };
      inherit elemType;
      inherit (elemType) description descriptionClass check emptyValue;
      merge = lib.options.mergeUniqueOption { inherit message; inherit (elemType) merge; };
    };

    # The left one where it takes all definitions.
    either = left: right:
      let both = { inherit left right; }; in
      mkOptionType {
        name = "either";
        description = "${optionDescriptionPhrase (isNounOr "conjunction") left} or ${
          optionDescriptionPhrase (class: isNounOr "conjunction" class || class == "composite") right}";
        descriptionClass = "conjunction";
        check = value: left.check value || right.check value;
        merge = merging ({ loc, defs }:
          let
            asLeft = checkAndMerge loc left defs;
            asRight = checkAndMerge loc right defs;
          in
          if asLeft.headError == null then asLeft
          else if asRight.headError == null then asRight
          else asLeft // {
            headError.message = "TypeError: The option `${showOption loc}` is neither a value of type `${
              left.description}` nor `${right.description}`, Definition values:${showDefs defs}";
          });
        nestedTypes = both;
        functor = functorOver "either" ({ left, right }: composed.either left right) both;
      };
    oneOf = types:
      if types == [ ] then throw "types.oneOf needs to get at least one type in its argument"
      else foldl' composed.either (head types) (builtins.tail types);

    coercedTo = coercedType: coerce: finalType:
      let
        coerced = value: if coercedType.check value then coerce value else value;
        description = optionDescriptionPhrase isNoun;
      in
      if coercedType.getSubModules != null then
        throw "coercedTo: coercedType must not have submodules (it’s a ${coercedType.description})"
      else
        mkOptionType {
          name = "coercedTo";
          description = "${description finalType} or ${description coercedType} convertible to it";
          check = value: finalType.check (coerced value);
          merge = merging ({ loc, defs }:
            let merged = checkAndMerge loc finalType (map (def: def // { value = coerced def.value; }) defs);
            in merged // {
              # What is of neither type is told as it is.
              headError = if builtins.all (def: finalType.check (coerced def.value)) defs then merged.headError else null;
            });
          inherit (finalType) emptyValue getSubOptions getSubModules;
          substSubModules = modules: composed.coercedTo coercedType coerce (finalType.substSubModules modules);
          nestedTypes = { inherit coercedType finalType; };
          typeMerge = _: null;
        };

    functionTo = elemType: over {
      name = "functionTo";
      make = composed.functionTo;
      inherit elemType;
      step = [ "<function body>" ];
      description = "function that evaluates to a(n) ${phrase elemType}";
      check = isFunction;
      merge = loc: defs: lib.trivial.setFunctionArgs
        (argument: (mergeDefinitions (loc ++ [ "<function body>" ]) elemType
          (map (def: { inherit (def) file; value = def.value argument; }) defs)).mergedValue)
        (zipAttrsWith (_: builtins.all lib.trivial.id) (map lib.trivial.functionArgs (getValues defs)));
    };

    # By its shape: sets are merged, functions by what they return, and all else must be equal.
    anything = mkOptionType {
      name = "anything";
      descriptionClass = "noun";
      merge = loc: defs:
        let
          shape = value: if isAttrs value && lib.strings.isStringLike value then "stringCoercibleSet" else typeOf value;
          shapes = map shape (getValues defs);
          merge = {
            set = (composed.attrsOf composed.anything).merge;
            lambda = (composed.functionTo composed.anything).merge;
          }.${head shapes} or mergeEqualOption;
        in
        if any (one: one != head shapes) shapes then
          throw "The option `${showOption loc}' has conflicting option types in ${showFiles (getFiles defs)}"
        else merge loc defs;
    };

    submodule = modules: composed.submoduleWith {
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
        check = isModule;
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
          // lib.attrsets.optionalAttrs (freeformType != null) { _freeformOptions = freeformType.getSubOptions prefix; };
        getSubModules = modules;
        substSubModules = modules: composed.submoduleWith (given // { inherit modules; });
        nestedTypes = lib.attrsets.optionalAttrs (freeformType != null) { inherit freeformType; };
        functor = {
          name = "submodule";
          type = composed.submoduleWith;
          payload = { inherit modules specialArgs shorthandOnlyDefinesConfig description class; };
          binOp = a: b: {
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
          };
          wrapped = null;
        };
      };

    # A module that is evaluated elsewhere.
    deferredModule = composed.deferredModuleWith { };
    deferredModuleWith = { staticModules ? [ ] }: mkOptionType {
      name = "deferredModule";
      description = "module";
      descriptionClass = "noun";
      check = isModule;
      merge = loc: defs: {
        imports = staticModules
          ++ map (def: setDefaultModuleLocation "${def.file}, via option ${showOption loc}" def.value) defs;
      };
      inherit (composed.submoduleWith { modules = staticModules; }) getSubOptions;
      getSubModules = if staticModules == [ ] then null else staticModules;
      substSubModules = staticModules: composed.deferredModuleWith { inherit staticModules; };
      functor = {
        name = "deferredModule";
        type = composed.deferredModuleWith;
        payload = { inherit staticModules; };
        binOp = a: b: { staticModules = a.staticModules ++ b.staticModules; };
        wrapped = null;
      };
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
        functor = {
          name = "attrTag";
          type = { tags }: composed.attrTag tags;
          payload = { inherit tags; };
          binOp = a: b: {
            tags = a.tags // b.tags // mapAttrs
              (tag: option: mergeOptionDecls [ tag ]
                (map (options: { _file = "<attrTag>"; pos = null; inherit options; }) [ a.tags.${tag} option ]))
              (builtins.intersectAttrs a.tags b.tags);
          };
          wrapped = null;
        };
      };
  };

  metaOf = merged: merged.checkedAndMerged.valueMeta;
  isModule = value: isAttrs value || isFunction value || self.path.check value;

  # A way to merge that also knows of the value, and of what is wrong beyond `check`.
  merging = v2: {
    inherit v2;
    __functor = _: loc: defs:
      let merged = { headError = null; } // v2 { inherit loc defs; };
      in if merged.headError == null then merged.value else throw merged.headError.message;
  };

  # A type made of one other, by `make`; what is below that is `step` further.
  over = { name, make, elemType, step ? [ ], ... }@type: mkOptionType ({
    descriptionClass = "composite";
    getSubOptions = prefix: elemType.getSubOptions (prefix ++ step);
    inherit (elemType) getSubModules;
    substSubModules = modules: make (elemType.substSubModules modules);
    nestedTypes = { inherit elemType; };
    functor = functorOver name ({ elemType }: make elemType) { inherit elemType; };
  } // removeAttrs type [ "make" "elemType" "step" ]);

  functorOver = name: make: types: {
    inherit name;
    type = make;
    payload = types;
    binOp = a: b:
      let merged = mapAttrs (part: type: type.typeMerge b.${part}.functor) a;
      in if any (type: type == null) (attrValues merged) then null else merged;
    wrapped = types.elemType or null;
  };

  agreed = what: a: b:
    if a == null then b
    else if b == null || a == b then a
    else throw "A submoduleWith option is declared multiple times with conflicting ${what} values";
in
composed
