# The types that are made of no others, and what is said in terms of them.
{ lib, self, making }:

let
  inherit (builtins)
    elem foldl' head isAttrs isBool isFloat isInt isString length match toJSON typeOf;
  inherit (lib.options) getValues mergeEqualOption mergeOneOption;
  inherit (lib.strings) concatMapStringsSep concatStringsSep escapeNixString hasInfix removeSuffix;
  inherit (lib.trivial) boolToString;

  plain = {
    unspecified = self.mkOptionType {
      name = "unspecified";
      description = "unspecified value";
      descriptionClass = "noun";
    };
    raw = self.mkOptionType {
      name = "raw";
      description = "raw value";
      descriptionClass = "noun";
      merge = mergeOneOption;
    };

    bool = equal "bool" "boolean" isBool;
    boolByOr = equal "boolByOr" "boolean (merged using or)" isBool // {
      merge = _: defs: builtins.any lib.trivial.id (getValues defs);
    };
    int = equal "int" "signed integer" isInt;
    float = equal "float" "floating point number" isFloat;
    number = self.either self.int self.float;
    port = self.ints.u16;

    ints = ranges "integer" "ints" "Int" self.int // sized "unsigned" 0 [ 8 16 32 ] // sized "signed" 1 [ 8 16 32 ] // {
      unsigned = clause self.int "unsignedInt" "unsigned integer, meaning >=0" (x: x >= 0);
      positive = clause self.int "positiveInt" "positive integer, meaning >0" (x: x > 0);
    };
    numbers = ranges "integer or floating point number" "numbers" "Number" self.number // {
      positive = clause self.number "numberPositive" "positive integer or floating point number, meaning >0" (x: x > 0);
      nonnegative =
        clause self.number "numberNonnegative" "nonnegative integer or floating point number, meaning >=0" (x: x >= 0);
    };

    str = equal "str" "string" isString;
    nonEmptyStr = equal "nonEmptyStr" "non-empty string" (x: isString x && match "[ \t\n]*" x == null);
    # A newline at the end is no part of it.
    singleLineStr =
      equal "singleLineStr" "(optionally newline-terminated) single-line string"
        (x: isString x && match "[^\n\r]*\n?" x != null)
      // { merge = loc: defs: removeSuffix "\n" (mergeEqualOption loc defs); };
    strMatching = pattern:
      parametrised { inherit pattern; } ({ pattern }: self.strMatching pattern)
        (equal "strMatching ${escapeNixString pattern}" "string matching the pattern ${pattern}"
          (x: isString x && match pattern x != null));
    separatedString = sep:
      parametrised { inherit sep; } ({ sep }: self.separatedString sep) (equal "separatedString"
        "strings concatenated with ${toJSON sep}"
        isString // { merge = _: defs: concatStringsSep sep (getValues defs); });
    lines = self.separatedString "\n";
    commas = self.separatedString ",";
    envVar = self.separatedString ":";
    string = self.separatedString "" // {
      name = "string";
      deprecationMessage = "types.string joins definitions without anything between them: use types.str, or types.separatedString";
    };
    passwdEntry = type: self.addCheck type (text: !(hasInfix ":" text || hasInfix "\n" text)) // {
      name = "passwdEntry ${type.name}";
      description = "${self.optionDescriptionPhrase (class: class == "noun") type}, not containing newlines or colons";
    };

    attrs = self.mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      merge = _: defs: foldl' lib.trivial.mergeAttrs { } (getValues defs);
      emptyValue.value = { };
    };

    # A package, or a store path that is taken for one.
    package = self.mkOptionType {
      name = "package";
      descriptionClass = "noun";
      check = x: lib.attrsets.isDerivation x || lib.strings.isStorePath x;
      merge = loc: defs:
        let package = mergeOneOption loc defs;
        in if lib.attrsets.isDerivation package then package else lib.attrsets.toDerivation package;
    };
    shellPackage = self.package // { check = x: lib.attrsets.isDerivation x && x ? shellPath; };
    pkgs = self.addCheck (self.unique { message = "A Nixpkgs package set cannot be merged with another one."; } self.attrs)
      (self.isType "pkgs") // {
      name = "pkgs";
      description = "Nixpkgs package set";
      descriptionClass = "noun";
    };

    path = self.pathWith { absolute = true; };
    pathInStore = self.pathWith { inStore = true; };
    externalPath = self.pathWith { absolute = true; inStore = false; };
    pathWith = { inStore ? null, absolute ? null }:
      let
        isInStore = x: match "${lib.strings.escapeRegex builtins.storeDir}/[^.].*" (toString x) != null;
        isAbsolute = x: builtins.substring 0 1 (toString x) == "/";
        agrees = wanted: holds: x: wanted == null || wanted == holds x;
        word = wanted: yes: no: if wanted == null then "" else if wanted then yes else no;
      in
      if inStore == true && absolute == false then throw "In pathWith, inStore means the path must be absolute"
      else
        parametrised { inherit inStore absolute; } self.pathWith (equal "path"
          (word absolute "absolute " "relative " + "path" + word inStore " in the Nix store" " not in the Nix store")
          (x: lib.strings.isStringLike x && agrees absolute isAbsolute x && agrees inStore isInStore x));

    enum = values:
      let
        show = value:
          if isString value then "\"${value}\""
          else if isInt value then toString value
          else if isBool value then boolToString value
          else "<${typeOf value}>";
      in
      self.mkOptionType {
        name = "enum";
        description =
          if values == [ ] then "impossible (empty enum)"
          else if length values == 1 then "value ${show (head values)} (singular enum)"
          else "one of ${concatMapStringsSep ", " show values}";
        descriptionClass = if length values < 2 then "noun" else "conjunction";
        check = value: elem value values;
        merge = mergeEqualOption;
        functor = making.functorOf "enum" ({ values }: self.enum values) { inherit values; }
          (a: b: { values = lib.lists.unique (a.values ++ b.values); });
      };

    luaInline = equal "luaInline" "inline lua" (self.isType "lua-inline");
    fileset = self.mkOptionType {
      name = "fileset";
      descriptionClass = "noun";
      check = lib.fileset.isFileset;
      merge = _: defs: lib.fileset.unions (getValues defs);
      emptyValue.value = lib.fileset.unions [ ];
    };

    # What a file format can say.
    json = self.serializableValueWith { typeName = "JSON"; };
    toml = self.serializableValueWith { typeName = "TOML"; nullable = false; };
    serializableValueWith = { typeName, nullable ? true }:
      let
        some = with self; oneOf [ bool int float str path (attrsOf value) (listOf value) ];
        value = (if nullable then self.nullOr some else some) // { description = "${typeName} value"; };
      in
      value;
  };

  # A type of equal definitions.
  equal = name: description: check: self.mkOptionType {
    inherit name description check;
    descriptionClass = "noun";
    merge = mergeEqualOption;
  };

  # A type that is made of `payload`: the same only as one of the same.
  parametrised = payload: make: type:
    let functor = making.functorOf type.name make payload (a: b: if a == b then a else null);
    in
    type // { inherit functor; typeMerge = self.defaultTypeMerge functor; };

  clause = type: name: description: check:
    self.addCheck type check // { inherit name description; descriptionClass = "nonRestrictiveClause"; };
  between = lowest: highest: "between ${toString lowest} and ${toString highest} (both inclusive)";
  ranges = what: set: name: type: {
    between = lowest: highest:
      if lowest > highest then throw "${set}.between: lowest must be smaller than highest"
      else self.addCheck type (x: x >= lowest && x <= highest) // {
        name = "${lib.strings.toLower name}Between";
        description = "${what} ${between lowest highest}";
      };
  };
  # The integers of some bits: u8 and its kin, s8 and its kin.
  sized = kind: signBits: bits: builtins.listToAttrs (map
    (count:
      let
        values = foldl' (n: _: n * 2) 1 (lib.lists.range (1 + signBits) count);
        lowest = if signBits == 0 then 0 else -values;
      in
      {
        name = "${builtins.substring 0 1 kind}${toString count}";
        value = self.addCheck self.int (x: x >= lowest && x < values) // {
          name = "${kind}Int${toString count}";
          description = "${toString count} bit ${kind} integer; ${between lowest (values - 1)}";
        };
      })
    bits);
in
plain
