# Values as configuration files.
{ lib }:

let
  inherit (builtins) attrNames isAttrs isBool isFloat isFunction isInt isList isPath isString mapAttrs;
  inherit (lib.strings) concatMapStringsSep concatStrings concatStringsSep escape;
  inherit (lib.attrsets) mapAttrsToList;

  self = {
    mkValueStringDefault = { }: value:
      let bad = what: abort "generators.mkValueStringDefault: ${what} not supported: ${self.toPretty { } value}";
      in
      if isInt value then toString value
      else if lib.attrsets.isDerivation value then toString value
      else if isString value then value
      else if value == true then "true"
      else if value == false then "false"
      else if value == null then "null"
      else if isList value then bad "lists"
      else if isAttrs value then bad "attrsets"
      else if isFunction value then bad "functions"
      else if isFloat value then lib.strings.floatToString value
      else bad "this value is";

    mkKeyValueDefault = { mkValueString ? self.mkValueStringDefault { } }: sep: key: value:
      "${escape [ sep ] key}${sep}${mkValueString value}";

    toKeyValue = { mkKeyValue ? self.mkKeyValueDefault { } "=", listsAsDuplicateKeys ? false, indent ? "" }: set:
      let
        line = key: value: indent + mkKeyValue key value + "\n";
        lines = key: value:
          if listsAsDuplicateKeys then map (line key) (lib.lists.toList value) else [ (line key value) ];
      in
      concatStrings (builtins.concatLists (mapAttrsToList lines set));

    toINI =
      { mkSectionName ? (name: escape [ "[" "]" ] name)
      , mkKeyValue ? self.mkKeyValueDefault { } "="
      , listsAsDuplicateKeys ? false
      }: sections:
      concatStringsSep "\n" (mapAttrsToList
        (name: values: "[${mkSectionName name}]\n" + self.toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } values)
        sections);

    toINIWithGlobalSection =
      { mkSectionName ? (name: escape [ "[" "]" ] name)
      , mkKeyValue ? self.mkKeyValueDefault { } "="
      , listsAsDuplicateKeys ? false
      }: { globalSection, sections ? { } }:
      (if globalSection == { } then ""
      else self.toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } globalSection + "\n")
      + self.toINI { inherit mkSectionName mkKeyValue listsAsDuplicateKeys; } sections;

    # git's own INI: sections may have a name within (`[remote "origin"]`), values are indented by a tab.
    toGitINI = set:
      let
        header = path:
          let
            name = concatStringsSep "." path;
            words = lib.strings.splitString "." name;
          in
          # The name within may be written in the attribute's own: `''remote "origin"''`.
          if lib.strings.hasInfix "\"" name || builtins.length words == 1 then name
          else "${builtins.head words} \"${concatStringsSep "." (builtins.tail words)}\"";
        valueText = value:
          if isString value then
            "\"${lib.strings.replaceStrings [ "\n" "\t" ] [ "\\n" "\\t" ] (escape [ "\\" "\"" ] value)}\""
          else
            self.mkValueStringDefault { } value;
        line = key: value:
          concatStrings (map (one: "\t${key} = ${valueText one}\n") (lib.lists.toList value));
        sectionsOf = path: values:
          let
            isSection = _: value: isAttrs value && !lib.attrsets.isDerivation value;
            plain = lib.attrsets.filterAttrs (name: value: !isSection name value) values;
            nested = lib.attrsets.filterAttrs isSection values;
          in
          lib.lists.optional (plain != { } || nested == { })
            ("[${header path}]\n" + concatStrings (mapAttrsToList line plain))
          ++ builtins.concatLists (mapAttrsToList (name: sectionsOf (path ++ [ name ])) nested);
      in
      concatStringsSep "\n" (builtins.concatLists (mapAttrsToList (name: sectionsOf [ name ]) set));

    # YAML is a superset of JSON.
    toJSON = { }: builtins.toJSON;
    toYAML = self.toJSON;

    withRecursion = { depthLimit, throwOnDepthLimit ? true }:
      assert isInt depthLimit;
      let
        special = [ "__functor" "__functionArgs" "__toString" "__pretty" ];
        cut = depth:
          if depthLimit != null && depth > depthLimit then
            (if throwOnDepthLimit then
              throw "Exceeded maximum eval-depth limit of ${toString depthLimit} while trying to evaluate with `generators.withRecursion'!"
            else _: "<unevaluated>")
          else lib.trivial.id;
        # What is no set and no list counts as one level more.
        below = depth: value: go (depth + 1) (cut (depth + 1) value);
        go = depth: value:
          if isAttrs value then mapAttrs (name: if builtins.elem name special then lib.trivial.id else below depth) value
          else if isList value then map (below depth) value
          else cut (depth + 1) value;
      in
      go 0;

    # A value as a Nix expression that a person can read.
    toPretty = { multiline ? true, indent ? "", allowPrettyValues ? false }:
      let
        go = indent: value:
          let
            intro = if multiline then "\n${indent}  " else " ";
            outro = if multiline then "\n${indent}" else " ";
            deeper = go "${indent}  ";
          in
          if isInt value then toString value
          else if isFloat value then builtins.toJSON value
          else if isString value then
            (if lib.strings.hasInfix "\n" value && multiline then
              let lines = lib.strings.splitString "\n" (lib.strings.replaceStrings [ "''" "\${" ] [ "'''" "''\${" ] value);
              in "''" + intro + concatStringsSep intro (lib.lists.init lines)
                + (if lib.lists.last lines == "" then outro else intro + lib.lists.last lines) + "''"
            else "\"${lib.strings.replaceStrings [ "\n" ] [ "\\n" ] (escape [ "\"" "\\" "\${" ] value)}\"")
          else if isBool value then lib.trivial.boolToString value
          else if value == null then "null"
          else if isPath value then toString value
          else if isList value then
            (if value == [ ] then "[ ]" else "[" + intro + concatMapStringsSep intro deeper value + outro + "]")
          else if lib.trivial.isFunction value then
            let
              args = lib.trivial.functionArgs value;
              shown = mapAttrsToList (name: optional: if optional then name + "?" else name) args;
            in
            if args == { } then "<function>" else "<function, args: {${concatStringsSep ", " shown}}>"
          else if isAttrs value then
            (if allowPrettyValues && value ? __pretty && value ? val then value.__pretty value.val
            else if value == { } then "{ }"
            else if value.type or null == "derivation" then "<derivation ${value.name or "???"}>"
            else
              "{" + intro
              + concatStringsSep intro
                (mapAttrsToList
                  (name: x: "${lib.strings.escapeNixIdentifier name} = ${builtins.addErrorContext "while evaluating an attribute `${name}`" (deeper x)};")
                  value)
              + outro + "}")
          else throw "generators.toPretty: cannot show a ${builtins.typeOf value}";
      in
      go indent;

    # Apple's property lists; what is null is left out.
    toPlist = { escape ? false }: value:
      let
        text = if escape then lib.strings.escapeXML else lib.trivial.id;
        block = tag: indent: lines: "${indent}<${tag}>\n${concatStringsSep "\n" lines}\n${indent}</${tag}>";
        entry = indent: name: x: [ "${indent}<key>${text name}</key>" (go indent x) ];
        go = indent: x:
          let
            one = tag: content: "${indent}<${tag}>${content}</${tag}>";
            inner = indent + "\t";
            present = builtins.filter (name: x.${name} != null) (attrNames x);
          in
          if x == null then ""
          else if isBool x then "${indent}<${lib.trivial.boolToString x}/>"
          else if isInt x then one "integer" (toString x)
          else if isFloat x then one "real" (lib.strings.floatToString x)
          else if isString x || isPath x || lib.attrsets.isDerivation x then one "string" (text (toString x))
          else if isList x then block "array" indent (map (go inner) x)
          else if isAttrs x then block "dict" indent (builtins.concatMap (name: entry inner name x.${name}) present)
          else abort "generators.toPlist: cannot write a ${builtins.typeOf x}";
      in
      concatStringsSep "\n" [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">"
        "<plist version=\"1.0\">"
        (go "" value)
        "</plist>"
      ];

    # The settings of GNOME's programs.
    mkDconfKeyValue = self.mkKeyValueDefault { mkValueString = value: toString (lib.gvariant.mkValue value); } "=";
    toDconfINI = self.toINI { mkKeyValue = self.mkDconfKeyValue; };

    toDhall = { }@args: value:
      let
        go = self.toDhall args;
        cannot = what: abort "generators.toDhall: cannot convert a ${what} to Dhall";
        commas = concatStringsSep ", ";
      in
      if lib.trivial.isFunction value then cannot "function"
      else if value == null then cannot "null"
      else if isBool value then (if value then "True" else "False")
      else if isInt value then (if value >= 0 then "+${toString value}" else toString value)
      else if isAttrs value && !(lib.attrsets.isDerivation value) then
        "{ ${commas (mapAttrsToList (name: x: "${name} = ${go x}") value)} }"
      else if isList value then "[ ${commas (map go value)} ]"
      else builtins.toJSON value;

    mkLuaInline = expr: { _type = "lua-inline"; inherit expr; };
    toLua = { multiline ? true, indent ? "", asBindings ? false }@args: value:
      let
        inner = "${indent}  ";
        intro = if multiline then "\n${inner}" else " ";
        outro = if multiline then "\n${indent}" else " ";
        nested = self.toLua (args // { indent = inner; asBindings = false; });
        sep = if multiline then ",\n${inner}" else ", ";
        isName = name: builtins.match "[[:alpha:]_][[:alnum:]_]*(\\.[[:alpha:]_][[:alnum:]_]*)*" name != null;
        badNames = builtins.filter (name: !isName name) (attrNames value);
      in
      if asBindings then
        assert lib.asserts.assertMsg (badNames == [ ]) "Bad Lua var names: ${self.toPretty { } badNames}";
        concatStrings (mapAttrsToList (name: v: "${indent}${name} = ${self.toLua (args // { asBindings = false; }) v}\n") value)
      else if value == null then "nil"
      else if isInt value || isFloat value || isString value || isBool value then builtins.toJSON value
      else if isPath value || lib.attrsets.isDerivation value then builtins.toJSON "${value}"
      else if isList value then
        (if value == [ ] then "{}" else "{${intro}${concatMapStringsSep sep nested value}${outro}}")
      else if value._type or null == "lua-inline" then "(${value.expr})"
      else if isAttrs value then
        (if value == { } then "{}"
        else "{${intro}${concatStringsSep sep (map (name: "[${builtins.toJSON name}] = ${nested value.${name}}") (attrNames value))}${outro}}")
      else abort "generators.toLua: type ${builtins.typeOf value} is unsupported";
  };
in
self
