# The types that are made of others.
{ lib, self, making }:

let
  inherit (builtins)
    any attrNames concatLists concatMap filter foldl' groupBy head isAttrs isList length mapAttrs typeOf;
  inherit (lib.attrsets) mapAttrsToList zipAttrsWith;
  inherit (lib.lists) imap1;
  inherit (lib.modules)
    checkAndMerge checkOf defaultOrderPriority defaultOverridePriority dischargeProperties mergeDefinitions
    mkDefinition;
  inherit (lib.options) getFiles getValues mergeEqualOption showDefs showFiles showOption;
  inherit (lib.trivial) isFunction min;
  inherit (making) coherent functorOf functorOver merging over;
  inherit (self) mkOptionType optionDescriptionPhrase;

  isNoun = class: class == "noun";
  isNounOr = other: class: class == "noun" || class == other;
  phrase = optionDescriptionPhrase (isNounOr "composite");

  composed = {
    # The same type for less values.
    addCheck = type: check: type // {
      check = (if type.check ? isV2MergeCoherent then coherent else lib.trivial.id)
        (value: type.check value && check value);
    };

    listOf = elemType: over {
      name = "listOf";
      make = composed.listOf;
      inherit elemType;
      step = [ "*" ];
      description = "list of ${phrase elemType}";
      check = coherent isList;
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
      let list = composed.addCheck (composed.listOf elemType) (value: value != [ ]);
      in list // {
        description = "non-empty ${optionDescriptionPhrase isNoun list}";
        emptyValue = { };
        substSubModules = modules: composed.nonEmptyListOf (elemType.substSubModules modules);
      };

    attrsOf = elemType: composed.attrsWith { inherit elemType; };
    lazyAttrsOf = elemType: composed.attrsWith { inherit elemType; lazy = true; };
    # Lazily, an attribute is there before it is known whether a condition lets it be.
    attrsWith = { elemType, lazy ? false, placeholder ? "name" }: let name = if lazy then "lazyAttrsOf" else "attrsOf"; in over {
      inherit name;
      make = elemType: composed.attrsWith { inherit elemType lazy placeholder; };
      inherit elemType;
      step = [ "<${placeholder}>" ];
      description = (if lazy then "lazy attribute set of " else "attribute set of ") + phrase elemType;
      check = coherent isAttrs;
      merge = merging ({ loc, defs }:
        let
          every = zipAttrsWith (name: mergeDefinitions (loc ++ [ name ]) elemType)
            (map
              (def: mapAttrs
                (name: value: { inherit (def) file; inherit value; pos = builtins.unsafeGetAttrPos name def.value; })
                def.value)
              defs);
          present = if lazy then every else lib.attrsets.filterAttrs (_: one: one.isDefined) every;
        in
        { value = mapAttrs (_: one: one.mergedValue) present; valueMeta.attrs = mapAttrs (_: metaOf) present; });
      emptyValue.value = { };
      functor = functorOf name composed.attrsWith { inherit elemType lazy placeholder; } (a: b:
        let
          elemType = a.elemType.typeMerge b.elemType.functor;
          given = filter (one: one != "name") [ a.placeholder b.placeholder ];
        in
        if elemType == null || a.lazy != b.lazy || length given == 2 && a.placeholder != b.placeholder then null
        else { inherit elemType lazy; placeholder = head (given ++ [ "name" ]); });
    };
    loaOf = elemType: composed.attrsOf elemType // {
      name = "loaOf";
      deprecationMessage = "types.loaOf takes sets alone by now: use types.attrsOf";
    };

    # Sets of one attribute each, in order; a definition that is a set stands for one of each attribute. Priorities
    # count among those of one name.
    attrListOf = elemType: composed.attrListWith { inherit elemType; };
    attrListWith = { elemType, asAttrs ? false, mergeAttrValues ? _: values: values }: over {
      name = "attrListOf";
      make = elemType: composed.attrListWith { inherit elemType asAttrs mergeAttrValues; };
      inherit elemType;
      step = [ "<name>" ];
      description = "attribute list of ${phrase elemType}";
      check = coherent (value: isList value || isAttrs value);
      merge = merging ({ loc, defs }:
        let
          # What a wrapped value stands for, down to an override: it may hold what must not be looked at.
          peel = def: value:
            let kind = value._type or null; in
            if kind == "order" then peel (def // { order = value.priority; }) value.content
            else if kind == "override" then [ (def // { inherit (value) priority; value = value.content; }) ]
            else if kind == "if" || kind == "merge" then concatMap (peel def) (dischargeProperties value)
            else [ (def // { inherit value; }) ];
          sets = concatMap
            ({ file, value }:
              let plain = { inherit file; order = defaultOrderPriority; priority = defaultOverridePriority; };
              in if isList value then concatMap (peel plain) value else [ (plain // { inherit value; }) ])
            defs;
          singles = concatMap (def: if isList def.value then concatMap (peel { }) def.value else [ ]) defs;
          wrong = filter (one: !isAttrs one.value || length (attrNames one.value) != 1) singles;
          named = concatMap (def: concatLists (mapAttrsToList (name: peel (def // { inherit name; })) def.value)) sets;
          least = mapAttrs (_: foldl' (least: def: min least def.priority) 9999) (groupBy (def: def.name) named);
          ordered = builtins.sort (a: b: a.order < b.order) (concatMap
            (def: if def.priority == least.${def.name} then peel def def.value else [ ])
            named);
          entries = map
            ({ file, name, value, ... }: {
              inherit file name;
              merged = mergeDefinitions (loc ++ [ name ]) elemType [{ inherit file value; }];
            })
            ordered;
          values = map (entry: { ${entry.name} = entry.merged.mergedValue; }) entries;
        in
        {
          headError =
            if wrong == [ ] then null
            else {
              message = "Each list element must be a single-key attribute set, but got "
                + (if isAttrs (head wrong).value then "${toString (length (attrNames (head wrong).value))} keys."
                else "a ${typeOf (head wrong).value}.");
            };
          value = if asAttrs then zipAttrsWith mergeAttrValues values else values;
          valueMeta = {
            attrList = map (entry: metaOf entry.merged) entries;
            attrListValue = values;
            definitions = lib.lists.zipListsWith
              (entry: value: mkDefinition { inherit (entry) file; inherit value; })
              entries
              values;
          };
        });
      emptyValue.value = if asAttrs then { } else [ ];
      typeMerge = _: null;
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
        check = coherent (value: left.check value || right.check value);
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
        coerced = isSource: value: if isSource value then coerce value else value;
        description = optionDescriptionPhrase isNoun;
      in
      if coercedType.getSubModules != null then
        throw "coercedTo: coercedType must not have submodules (it’s a ${coercedType.description})"
      else
        mkOptionType {
          name = "coercedTo";
          description = "${description finalType} or ${description coercedType} convertible to it";
          check = coherent (value: finalType.check (coerced coercedType.check value));
          merge = merging ({ loc, defs }:
            let
              final = map (def: def // { value = coerced (checkOf loc coercedType) def.value; }) defs;
              merged = checkAndMerge loc finalType final;
            in
            merged // {
              # What is of neither type is told as it is.
              headError = if builtins.all (def: finalType.check def.value) final then merged.headError else null;
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
  };

  metaOf = merged: merged.checkedAndMerged.valueMeta;
in
composed
