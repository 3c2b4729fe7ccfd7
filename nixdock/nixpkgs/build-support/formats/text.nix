# Values as JSON, YAML, TOML and XML that a person can read: text, made without any program.
{ lib }:

let
  inherit (builtins) attrNames filter isAttrs isBool isList isString toJSON;
  inherit (lib.strings) concatMapStringsSep concatStrings concatStringsSep replicate;

  # Paths and derivations are their store paths; what JSON cannot hold fails as JSON does.
  scalar = value: toJSON value;
  isSet = value: isAttrs value && !lib.isDerivation value && !(value ? __toString) && !(value ? outPath);

  lines = concatStringsSep "\n";
  blanks = n: replicate n "  ";

  # As jq writes it.
  json = depth: value:
    let
      inner = blanks (depth + 1);
      block = open: close: items: "${open}\n${concatStringsSep ",\n" (map (item: inner + item) items)}\n${blanks depth}${close}";
    in
    if isSet value then
      if value == { } then "{}"
      else block "{" "}" (map (name: "${toJSON name}: ${json (depth + 1) value.${name}}") (attrNames value))
    else if isList value then
      if value == [ ] then "[]" else block "[" "]" (map (json (depth + 1)) value)
    else scalar value;

  # A word that no reader of YAML takes for a number, a truth or a date may stand without quotes.
  yamlString = text:
    let
      plain = builtins.match "[A-Za-z_/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*" text != null
        && !(builtins.elem (lib.toLower text) [ "true" "false" "yes" "no" "on" "off" "y" "n" "null" ]);
    in
    if plain then text
    # What cannot be seen needs the escapes of double quotes.
    else if builtins.match "[^[:cntrl:]]*" text != null then "'${lib.replaceStrings [ "'" ] [ "''" ] text}'"
    else toJSON text;
  yamlScalar = value: if isString value then yamlString value else scalar value;
  isBlock = value: (isSet value && value != { }) || (isList value && value != [ ]);
  # The lines of a value, without indentation of their own.
  yaml = value:
    if isSet value && value != { } then builtins.concatMap (name: entry "${yamlString name}:" value.${name}) (attrNames value)
    else if isList value && value != [ ] then builtins.concatMap item value
    else [ (if isSet value then "{}" else if isList value then "[]" else yamlScalar value) ];
  entry = key: value:
    if !isBlock value then [ "${key} ${builtins.head (yaml value)}" ]
    # A list need not be indented below its key.
    else [ key ] ++ (if isList value then yaml value else map (line: "  ${line}") (yaml value));
  item = value:
    let inner = yaml value;
    in [ "- ${builtins.head inner}" ] ++ map (line: "  ${line}") (builtins.tail inner);

  tomlKey = name: if builtins.match "[A-Za-z0-9_-]+" name != null then name else toJSON name;
  tomlPath = concatMapStringsSep "." tomlKey;
  tomlInline = path: value:
    if value == null then throw "TOML has no null, but the value at ${tomlPath path} is one; leave the key out"
    else if isSet value then
      if value == { } then "{ }"
      else "{ ${concatMapStringsSep ", " (name: "${tomlKey name} = ${tomlInline (path ++ [ name ]) value.${name}}") (attrNames value)} }"
    else if isList value then "[${concatMapStringsSep ", " (tomlInline path) value}]"
    else scalar value;
  # Lists of nothing but sets are tables, one after the other.
  isTables = value: isList value && value != [ ] && builtins.all isSet value;
  toml = path: set:
    let
      names = attrNames set;
      isTable = name: isSet set.${name} || isTables set.${name};
      below = name:
        let here = path ++ [ name ];
        in
        if isSet set.${name} then section "[${tomlPath here}]" here set.${name}
        else builtins.concatMap (section "[[${tomlPath here}]]" here) set.${name};
      # A table of tables alone is named by them.
      section = header: here: table:
        let whole = toml here table;
        in
        if table != { } && !(lib.hasPrefix "[[" header) && builtins.all isSet (builtins.attrValues table) then whole
        else [ "" header ] ++ whole;
    in
    map (name: "${tomlKey name} = ${tomlInline (path ++ [ name ]) set.${name}}") (filter (name: !isTable name) names)
    ++ builtins.concatMap below (filter isTable names);

  # "@name" is an attribute, "#text" (or "$") what stands in the element; a list is the element several times.
  xml = depth: name: value:
    let
      names = attrNames value;
      isAttribute = lib.hasPrefix "@";
      isText = key: key == "#text" || key == "$";
      text = x: lib.escapeXML (if isBool x then lib.boolToString x else toString x);
      attributes = concatStrings
        (map (key: " ${lib.removePrefix "@" key}=\"${text value.${key}}\"") (filter isAttribute names));
      content = concatStrings (map (key: text value.${key}) (filter isText names));
      children = builtins.concatMap (key: xml (depth + 1) key value.${key})
        (filter (key: !isAttribute key && !isText key) names);
      pad = blanks depth;
    in
    if isList value then builtins.concatMap (xml depth name) value
    else if !isSet value then [ "${pad}<${name}>${if value == null then "" else text value}</${name}>" ]
    else if children == [ ] then [ "${pad}<${name}${attributes}>${content}</${name}>" ]
    else [ "${pad}<${name}${attributes}>${content}" ] ++ children ++ [ "${pad}</${name}>" ];
in
{
  toJSON = value: json 0 value + "\n";
  toYAML = value: lines (yaml value) + "\n";
  toTOML = value:
    if !isSet value then throw "TOML is a table at its top: a set is needed, not a ${builtins.typeOf value}"
    else
      let whole = toml [ ] value;
      in lines (if whole != [ ] && builtins.head whole == "" then builtins.tail whole else whole) + "\n";
  toXML = { withHeader }: value:
    lib.optionalString withHeader "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
    + lines (builtins.concatMap (name: xml 0 name value.${name}) (attrNames value)) + "\n";
}
