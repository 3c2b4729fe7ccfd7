# Values as literals of languages: Python, PHP, Elixir, libconfig, HOCON and Java's properties.
#
# What is not a plain value is marked: { _type = KIND; … }, made by the functions in each `lib`.
{ lib }:

let
  inherit (builtins) attrNames isAttrs isFloat isInt isList isString toJSON;
  inherit (lib.strings) concatMapStringsSep concatStringsSep;

  kind = value: if isAttrs value then value._type or null else null;
  raw = value: { _type = "raw"; inherit value; };
  isSet = value: isAttrs value && !lib.isDerivation value && kind value == null;
  text = value: if lib.isDerivation value || builtins.isPath value then "${value}" else value;
  entries = sep: f: set: concatMapStringsSep sep (name: f name set.${name}) (attrNames set);
  cannot = language: value: throw "a ${builtins.typeOf value} cannot be written as a value of ${language}";

  python = value:
    if kind value == "raw" then value.value
    else if value == null then "None"
    else if value == true then "True"
    else if value == false then "False"
    else if isList value then "[${concatMapStringsSep ", " python value}]"
    else if isSet value then "{${entries ", " (name: x: "${toJSON name}: ${python x}") value}}"
    else if builtins.isFunction value then cannot "Python" value
    else toJSON (text value);

  php = depth: value:
    let
      pad = lib.strings.replicate (depth + 1) "  ";
      block = items: "[\n${concatMapStringsSep ",\n" (x: pad + x) items}\n${lib.strings.replicate depth "  "}]";
      pairs = set: map (name: "${quoted name} => ${php (depth + 1) set.${name}}") (attrNames set);
      quoted = x: "'${lib.strings.escape [ "'" "\\" ] x}'";
    in
    if kind value == "raw" then value.value
    else if kind value == "mixed_array" then block (pairs value.set ++ map (php (depth + 1)) value.list)
    else if value == null then "null"
    else if isList value then (if value == [ ] then "[]" else block (map (php (depth + 1)) value))
    else if isSet value then (if value == { } then "[]" else block (pairs value))
    else if isString (text value) then quoted (text value)
    else if builtins.isFunction value then cannot "PHP" value
    else toJSON value;

  elixirAtom = name: if lib.hasPrefix ":" name then name
    else if builtins.match "[a-z_][A-Za-z0-9_@]*[?!]?" name != null then ":${name}"
    else if builtins.match "[A-Z][A-Za-z0-9_.]*" name != null then name else ":${toJSON name}";
  elixirKey = name: if builtins.match "[a-z_][A-Za-z0-9_@]*[?!]?" name != null then "${name}:" else "${toJSON name}:";
  # `#{` would be read as code.
  elixirString = x: lib.strings.replaceStrings [ "#{" ] [ "\\#{" ] (toJSON x);
  elixir = value:
    let k = kind value;
    in
    if k == "raw" then value.value
    else if k == "atom" then elixirAtom value.value
    else if k == "map" then "%{${entries ", " (name: x: "${elixirString name} => ${elixir x}") value.value}}"
    else if k == "tuple" then "{${concatMapStringsSep ", " elixir value.value}}"
    else if k == "getenv" then
      "System.get_env(${concatMapStringsSep ", " elixirString ([ value.envVariable ] ++ lib.optional (value.fallback != null) value.fallback)})"
    else if value == null then "nil"
    else if isList value then "[${concatMapStringsSep ", " elixir value}]"
    else if isSet value then "[${entries ", " (name: x: "${elixirKey name} ${elixir x}") value}]"
    else if isString (text value) then elixirString (text value)
    else toJSON value;

  libconfig = value:
    let k = kind value;
    in
    if k == "hex" || k == "octal" || k == "float" then value.value
    else if k == "array" then "[${concatMapStringsSep ", " libconfig value.value}]"
    else if k == "list" then "(${concatMapStringsSep ", " libconfig value.value})"
    else if isList value then "(${concatMapStringsSep ", " libconfig value})"
    else if isSet value then "{${libconfigGroup value}}"
    else if value == null then throw "libconfig has no null; leave the key out"
    else toJSON (text value);
  libconfigGroup = set:
    lib.concatStrings (map (file: "@include \"${file}\"\n") (set._includes or [ ]))
    + entries "" (name: x: "${name}=${libconfig x};\n") (removeAttrs set [ "_includes" ]);

  hocon = value:
    let k = kind value;
    in
    if k == "substitution" then "\${${lib.optionalString (!value.required) "?"}${value.value}}"
    else if k == "append" then hocon value.value
    else if k == "raw" then value.value
    else if isList value then "[${concatMapStringsSep ", " hocon value}]"
    else if isSet value then "{\n${hoconBody value}}"
    else if builtins.isFunction value then cannot "HOCON" value
    else toJSON (text value);
  hoconInclude = include:
    let file = if isString include then toJSON include else "${include.type}(${toJSON include.value})";
    in "include ${if isAttrs include && include.required then "required(${file})" else file}\n";
  hoconBody = set:
    lib.concatStrings (map hoconInclude (set._includes or [ ]))
    + entries "" (name: x: "${toJSON name} ${if kind x == "append" then "+=" else "="} ${hocon x}\n") (removeAttrs set [ "_includes" ]);

  javaEscape = chars: x:
    lib.strings.replaceStrings [ "\n" "\r" "\t" ] [ "\\n" "\\r" "\\t" ] (lib.strings.escape ([ "\\" "#" "!" ] ++ chars) x);
in
{
  inherit raw;

  pythonVars = {
    lib = { mkRaw = raw; };
    text = set:
      lib.concatStrings (map (name: "import ${name}\n") (set._imports or [ ]))
      + entries "" (name: x: "${name} = ${python x}\n") (removeAttrs set [ "_imports" ]);
  };

  php = {
    lib = {
      mkRaw = raw;
      mkMixedArray = list: set: { _type = "mixed_array"; inherit list set; };
    };
    text = finalVariable: value:
      "<?php\ndeclare(strict_types=1);\n"
      + (if finalVariable == null then "return " else "\$${finalVariable} = ") + "${php 0 value};\n";
  };

  elixirConf = {
    lib = {
      mkRaw = raw;
      mkAtom = value: { _type = "atom"; inherit value; };
      mkMap = value: { _type = "map"; inherit value; };
      mkTuple = value: { _type = "tuple"; inherit value; };
      mkGetEnv = { envVariable, fallback ? null }: { _type = "getenv"; inherit envVariable fallback; };
    };
    text = set:
      "import Config\n\n"
      + entries "" (root: settings: entries "" (name: x: "config ${elixirAtom root}, ${elixirAtom name}, ${elixir x}\n") settings) set;
  };

  libconfig = {
    lib =
      let marked = type: test: value:
        if isString value && builtins.match test value != null then { _type = type; inherit value; }
        else throw "libconfig: ${builtins.toJSON value} is no ${type} number";
      in
      {
        mkHex = marked "hex" "0x[0-9A-Fa-f]+";
        mkOctal = marked "octal" "0o?[0-7]+";
        mkFloat = value: { _type = "float"; value = if isInt value || isFloat value then toString value else value; };
        mkArray = value: { _type = "array"; inherit value; };
        mkList = value: { _type = "list"; inherit value; };
      };
    text = libconfigGroup;
  };

  hocon = {
    lib = {
      mkRaw = raw;
      mkInclude = value:
        if isAttrs value && !lib.isDerivation value then
          { _type = "include"; type = value.type or "file"; inherit (value) value; required = value.required or false; }
        else { _type = "include"; type = "file"; value = "${value}"; required = false; };
      mkAppend = value: { _type = "append"; inherit value; };
      mkSubstitution = value:
        if isString value then { _type = "substitution"; inherit value; required = true; }
        else {
          _type = "substitution";
          inherit (value) value;
          required = value.required or (!(value.optional or false));
        };
    };
    text = hoconBody;
  };

  javaProperties = comment: boolToString: set:
    concatStringsSep "\n" (map (line: "# ${line}") (lib.splitString "\n" comment)) + "\n\n"
    + entries ""
      (name: x: "${javaEscape [ " " "=" ":" ] name} = ${javaEscape [ ] (if builtins.isBool x then boolToString x else toString x)}\n")
      set;
}
