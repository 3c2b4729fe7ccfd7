# What a definition may be wrapped in (conditions, priorities, orders), and what the definitions of one option
# make together. A definition is { file, value }, and { pos } where its place is known.
{ lib }:

let
  inherit (builtins) addErrorContext any concatMap filter foldl' isBool mapAttrs sort;
  inherit (lib.options) showDefs showOption;
  inherit (lib.trivial) id min;

  kindOf = value: value._type or null;
  # A definition that says its own file, `mkDefinition`, is that.
  located = def: if kindOf def.value == "definition" then { inherit (def.value) file value; } else def;
  # The definitions of one option as those of another one; they stay where they are.
  aliased = property: wrap: option: self.mkAliasIfDef option (wrap (self.mkMerge (map
    ({ file, value }: self.mkDefinition { inherit file; value = property value; })
    option.definitionsWithLocations)));

  self = {
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkAssert = assertion: message: self.mkIf (if assertion then true else throw "\nFailed assertion: ${message}");
    mkDefinition = { file, value }@definition: definition // { _type = "definition"; };
    mkFixStrictness = id;

    # Of the definitions of an option those of the smallest priority count.
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkVMOverride = self.mkOverride 10;
    mkForce = self.mkOverride 50;
    mkImageMediaOverride = self.mkOverride 60;
    defaultOverridePriority = 100;
    defaultPriority = lib.trivial.warnIf (lib.trivial.oldestSupportedReleaseIsAtLeast 2305)
      "lib.modules.defaultPriority is deprecated, please use lib.modules.defaultOverridePriority instead."
      self.defaultOverridePriority;
    mkDefault = self.mkOverride 1000;
    mkOptionDefault = self.mkOverride 1500;

    # Of those that count, those of a smaller order come first.
    mkOrder = priority: content: { _type = "order"; inherit priority content; };
    mkBefore = self.mkOrder 500;
    defaultOrderPriority = 1000;
    mkAfter = self.mkOrder 1500;

    # One option in terms of another one.
    mkDerivedConfig = option: f: self.mkOverride (option.highestPrio or self.defaultOverridePriority) (f option.value);
    mkAliasIfDef = option: self.mkIf (lib.options.isOption option && option.isDefined);
    mkAliasDefinitions = self.mkAliasAndWrapDefinitions id;
    mkAliasAndWrapDefinitions = aliased id;
    mkAliasAndWrapDefsWithPriority = wrap: option: aliased (self.mkOverride option.highestPrio) wrap option;

    # The sets that a wrapped set stands for, each of its attributes wrapped as the set was: so a condition is only
    # asked for where an attribute of the set is.
    pushDownProperties = config:
      if kindOf config == "merge" then concatMap self.pushDownProperties config.contents
      else if builtins.elem (kindOf config) [ "if" "override" "order" ] then
        map (mapAttrs (_: content: config // { inherit content; })) (self.pushDownProperties config.content)
      else if kindOf config == "definition" then
        map (mapAttrs (_: value: config // { inherit value; })) (self.pushDownProperties config.value)
      else [ config ];

    # The values that a wrapped value stands for.
    dischargeProperties = value:
      if kindOf value == "merge" then concatMap self.dischargeProperties value.contents
      else if kindOf value == "if" then
        if !isBool value.condition then throw "‘mkIf’ called with a non-Boolean condition"
        else if value.condition then self.dischargeProperties value.content
        else [ ]
      else [ value ];

    filterOverrides = definitions: (self.filterOverrides' definitions).values;
    filterOverrides' = definitions:
      let
        isOverride = def: kindOf def.value == "override";
        priorityOf = def: if isOverride def then def.value.priority else self.defaultOverridePriority;
        highestPrio = foldl' (least: def: min least (priorityOf def)) 9999 definitions;
      in
      {
        inherit highestPrio;
        values = map (def: if isOverride def then def // { value = def.value.content; } else def)
          (filter (def: priorityOf def == highestPrio) definitions);
      };

    sortProperties = definitions:
      let
        isOrder = def: kindOf def.value == "order";
        rank = def: if isOrder def then def.value.priority else self.defaultOrderPriority;
      in
      map (def: if isOrder def then def // { value = def.value.content; } else def)
        (sort (a: b: rank a < rank b) definitions);

    # What `definitions` make of the option at `loc`: whether it is defined is known before any value is.
    mergeDefinitions = loc: type: definitions:
      let
        discharged = addErrorContext "while evaluating definitions from `${showOption loc}':" (concatMap
          (def: map (value: located { inherit (def) file; inherit value; }) (self.dischargeProperties def.value))
          definitions);
        overridden = self.filterOverrides' discharged;
        values = map located overridden.values;
        defsFinal = if any (def: kindOf def.value == "order") values then self.sortProperties values else values;
        isDefined = overridden.values != [ ];
        checkedAndMerged = self.checkAndMerge loc type defsFinal;
        # Where a definition is that is wrong, else any.
        isWrong = def: !builtins.all (self.checkOf loc type) (self.dischargeProperties def.value);
        placed = filter (def: def.pos or null != null) definitions;
        place = (builtins.head (filter isWrong placed ++ placed ++ [{ pos = null; }])).pos;
        value = self.describe place (self.valueOf loc type checkedAndMerged);
      in
      {
        inherit defsFinal isDefined checkedAndMerged;
        defsFinal' = { values = defsFinal; inherit (overridden) highestPrio; };
        optionalValue = if isDefined then { inherit value; } else { };
        mergedValue =
          if isDefined then value
          else type.emptyValue.value
            or (throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.");
      };

    # nixdock knows this sentence: what fails within is told to be at this place.
    describe = place: fails:
      if place == null then fails
      else addErrorContext "while describing what is at ${place.file}:${toString place.line}:${toString place.column}" fails;
    # Where `name` is in a set of definitions, wrapped as it may be.
    placeIn = name: config:
      if kindOf config == "merge" then
        foldl' (found: one: if found == null then self.placeIn name one else found) null config.contents
      else if config ? _type && config ? content then self.placeIn name config.content
      else builtins.unsafeGetAttrPos name config;

    # A type merges either by a function of `loc` and the definitions, or (`v2`) by one that also says what is wrong
    # with them, and what else is known of the value.
    checkAndMerge = loc: type: defs:
      let
        check = self.checkOf loc type;
        wrong = filter (def: !check def.value) defs;
        complaint = "Definition values:${showDefs wrong}";
        merged = type.merge.v2 { inherit loc defs; };
      in
      if type.merge ? v2 then
        {
          inherit (merged) value valueMeta;
          headError =
            if merged.headError or null != null then merged.headError
            else if wrong != [ ] then { message = "TypeError: ${complaint}"; }
            else null;
        }
      else
        {
          value = type.merge loc defs;
          valueMeta = { };
          headError = if wrong == [ ] then null else { message = complaint; };
        };

    checkOf = loc: type:
      if type.merge ? v2 && !type.check ? isV2MergeCoherent then
        throw ("The option `${showOption loc}' has type `${type.description}' with an ad-hoc `type // { check = ...; }' "
          + "override, which is incompatible with how it merges. Please use `lib.types.addCheck` instead.")
      else type.check;

    valueOf = loc: type: { headError, value, ... }:
      if headError == null then value
      else throw "A definition for option `${showOption loc}' is not of type `${type.description}'. ${headError.message}";

    # Of an option of sets: what each attribute has, and of which priority.
    mergeAttrDefinitionsWithPrio = option:
      lib.attrsets.zipAttrsWith
        (name: defs:
          let merged = self.mergeDefinitions (option.loc ++ [ name ]) option.type.nestedTypes.elemType defs;
          in { value = merged.mergedValue; inherit (merged.defsFinal') highestPrio; })
        (concatMap
          (def: map (mapAttrs (_: value: { inherit (def) file; inherit value; })) (self.pushDownProperties def.value))
          option.definitionsWithLocations);
  };
in
self
