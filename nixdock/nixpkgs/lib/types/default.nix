# The types of options: what a value must be, and what several definitions make together.
{ lib }:

let
  inherit (builtins) any attrValues mapAttrs;

  self = {
    setType = name: value: value // { _type = name; };
    isType = name: value: value._type or null == name;
    isOptionType = self.isType "option-type";

    mkOptionType =
      { name
      , description ? name
        # What kind of phrase the description is: where another one must have it in parentheses.
      , descriptionClass ? null
      , check ? _: true
      , merge ? lib.options.mergeDefaultOption
        # { value } where an option without a definition has one.
      , emptyValue ? { }
      , getSubOptions ? _: { }
      , getSubModules ? null
      , substSubModules ? _: null
      , nestedTypes ? { }
      , deprecationMessage ? null
        # How the types of two declarations become one.
      , functor ? self.defaultFunctor name
      , typeMerge ? self.defaultTypeMerge functor
      }: {
        _type = "option-type";
        inherit
          name description descriptionClass check merge emptyValue getSubOptions getSubModules substSubModules nestedTypes
          deprecationMessage functor typeMerge;
      };

    # Types of one name are the same, and those with a payload (what they are made of) if `binOp` makes one of two.
    defaultFunctor = name: {
      inherit name;
      type = self.${name} or null;
      payload = null;
      binOp = _: _: null;
      wrapped = null;
    };
    defaultTypeMerge = f: g:
      let
        merged =
          if f.payload or null != null then f.binOp f.payload g.payload
          # As functors were before they had a payload.
          else if f.wrapped or null != null then f.wrapped.typeMerge g.wrapped.functor
          else null;
      in
      if f.name != g.name then null
      else if f.payload or null == null && f.wrapped or null == null then f.type
      else if merged == null then null
      else f.type merged;
    mergeTypes = a: b:
      let merged = a.typeMerge b.functor;
      in
      if self.isOptionType a && self.isOptionType b && merged != null then merged
      else self.setType "merge-error" { error = "Cannot merge two types that differ"; };

    optionDescriptionPhrase = isPlain: type:
      if isPlain type.descriptionClass or null then type.description else "(${type.description})";
  }
  // import ./plain.nix { inherit lib self making; }
  // import ./composed.nix { inherit lib self making; }
  // import ./modules.nix { inherit lib self making; };

  # What the types here are made by.
  making = rec {
    # How the types of two declarations become one, of types made by `type payload`.
    functorOf = name: type: payload: binOp: {
      inherit name type payload binOp;
      wrapped = payload.elemType or null;
    };
    # That of types over others: they are one where those are.
    functorOver = name: type: types: functorOf name type types (a: b:
      let merged = mapAttrs (part: one: one.typeMerge b.${part}.functor) a;
      in if any (one: one == null) (attrValues merged) then null else merged);

    # A type over one other, by `make`; what is below that is `step` further.
    over = { name, make, elemType, step ? [ ], ... }@type: self.mkOptionType ({
      descriptionClass = "composite";
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ step);
      inherit (elemType) getSubModules;
      substSubModules = modules: make (elemType.substSubModules modules);
      nestedTypes = { inherit elemType; };
      functor = functorOver name ({ elemType }: make elemType) { inherit elemType; };
    } // removeAttrs type [ "make" "elemType" "step" ]);

    # A way to merge that also knows of the value, and of what is wrong beyond `check`.
    merging = v2: {
      inherit v2;
      __functor = _: loc: defs:
        let
          merged = { headError = null; } // v2 { inherit loc defs; };
          # Whoever asks a type to merge has asked it before whether the values are its own.
          said = if merged.headError == null then lib.trivial.id else lib.trivial.warn merged.headError.message;
        in
        said merged.value;
    };
    # How a type that merges so says that its `check` is its own: one put over it by `//` would not be asked.
    coherent = check: { __functor = _: check; isV2MergeCoherent = true; };
  };
in
self
