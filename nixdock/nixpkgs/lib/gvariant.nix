# Values of GLib's type system in its text format, as dconf reads them.
{ lib }:

let
  type = {
    arrayOf = t: "a${t}";
    maybeOf = t: "m${t}";
    tupleOf = ts: "(${lib.strings.concatStrings ts})";
    dictionaryEntryOf = nameType: valueType: "{${nameType}${valueType}}";
    string = "s";
    boolean = "b";
    uchar = "y";
    int16 = "n";
    uint16 = "q";
    int32 = "i";
    uint32 = "u";
    int64 = "x";
    uint64 = "t";
    double = "d";
    variant = "v";
    objectpath = "o";
  };

  make = type: value: show: { _type = "gvariant"; inherit type value; __toString = _: show; };
  # A number whose type is written before it.
  number = type: value: make type value "@${type} ${toString value}";

  quoted = text: "'${lib.strings.replaceStrings [ "\n" ] [ "\\n" ] (lib.strings.escape [ "'" "\\" ] text)}'";
  listed = lib.strings.concatMapStringsSep "," toString;
  sameType = values:
    let types = lib.lists.unique (map (value: value.type) values);
    in
    assert lib.asserts.assertMsg (builtins.length types == 1) "Elements in a list should have same type.";
    builtins.head types;
  array = elementType: values:
    let t = type.arrayOf elementType; in make t values "@${t} [${listed values}]";

  self = {
    inherit type;
    isGVariant = value: value._type or "" == "gvariant";

    # The type of a plain value is guessed: numbers without a fraction are 32 bits wide.
    mkValue = value:
      if self.isGVariant value then value
      else if builtins.isInt value then self.mkInt32 value
      else if builtins.isFloat value then self.mkDouble value
      else if builtins.isBool value then self.mkBoolean value
      else if builtins.isString value then self.mkString value
      else if builtins.isList value then self.mkArray value
      else if builtins.isAttrs value then
        throw "Cannot construct GVariant value from an attribute set. If you want to construct a dictionary, you will need to create an array containing items constructed with `lib.gvariant.mkDictionaryEntry`."
      else
        throw "The GVariant type of `${builtins.typeOf value}` can't be inferred.";

    mkString = value: make type.string value (quoted value);
    mkObjectpath = value: make type.objectpath value "objectpath ${quoted value}";
    mkBoolean = value: make type.boolean value (lib.trivial.boolToString value);
    mkDouble = value: make type.double value (toString value);
    mkInt32 = value: make type.int32 value (toString value);
    mkUchar = number type.uchar;
    mkInt16 = number type.int16;
    mkUint16 = number type.uint16;
    mkUint32 = number type.uint32;
    mkInt64 = number type.int64;
    mkUint64 = number type.uint64;
    intConstructors = map (name: { inherit name; type = type.${lib.strings.toLower (lib.strings.removePrefix "mk" name)}; })
      [ "mkInt16" "mkUint16" "mkInt32" "mkUint32" "mkInt64" "mkUint64" ];

    mkArray = values:
      let all = map self.mkValue (lib.trivial.throwIf (values == [ ]) "Please create empty array with mkEmptyArray." values);
      in array (sameType all) all;
    mkEmptyArray = elementType: array elementType [ ];
    mkVariant = value: let inner = self.mkValue value; in make type.variant inner "<${toString inner}>";
    mkDictionaryEntry = key: value:
      let
        k = self.mkValue key;
        v = self.mkValue value;
        t = type.dictionaryEntryOf k.type v.type;
      in
      make t [ k v ] "@${t} {${listed [ k v ]}}";
    mkMaybe = elementType: value:
      let t = type.maybeOf elementType; in
      make t value (if value == null then "@${t} nothing" else "just ${toString value}");
    mkNothing = elementType: self.mkMaybe elementType null;
    mkJust = value: let inner = self.mkValue value; in self.mkMaybe inner.type inner;
    mkTuple = values:
      let
        all = map self.mkValue values;
        t = type.tupleOf (map (value: value.type) all);
      in
      make t all "@${t} (${listed all})";
  };
in
self
