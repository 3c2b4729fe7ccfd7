# What an engine would only refuse when the image is loaded or run, said while the expression is evaluated.
{ lib }:

let
  inherit (builtins) match typeOf;

  kind = value: { set = "a set"; list = "a list"; string = "a string"; int = "a number"; bool = "a boolean"; null = "null"; path = "a path"; lambda = "a function"; }.${typeOf value} or "a ${typeOf value}";
  isText = value: builtins.isString value || builtins.isPath value || lib.isDerivation value || value ? __toString;

  listOfText = where: name: example: config:
    let value = config.${name} or null;
    in
    if value == null then true
    else if !builtins.isList value then
      throw "${where}: config.${name} must be a list of strings, such as ${example}, but it is ${kind value}"
    else
      builtins.all
        (item: isText item || throw "${where}: config.${name} must be a list of strings, such as ${example}, but one of it is ${kind item}")
        value;
  environment = where: config:
    builtins.all
      (item:
        match "[^=]+=.*" (lib.replaceStrings [ "\n" ] [ " " ] (toString item)) != null
        || throw "${where}: config.Env must be a list of \"NAME=value\", but it has \"${toString item}\"")
      (config.Env or [ ]);
  setOf = where: name: example: config:
    let value = config.${name} or null;
    in value == null || builtins.isAttrs value
      || throw "${where}: config.${name} must be a set, such as ${example}, but it is ${kind value}";
  text = where: name: config:
    let value = config.${name} or null;
    in value == null || isText value
      || throw "${where}: config.${name} must be a string, but it is ${kind value}";

  component = "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*";
  host = "[a-zA-Z0-9.-]+(:[0-9]+)?";
in
{
  # `where` names the function, for the messages.
  imageName = where: name:
    match "(${host}/)?${component}(/${component})*" (lib.toLower name) != null
    || throw "${where}: \"${name}\" is not a name that an image can have; it is made of letters, digits and single . _ - between them, in parts separated by /, and may begin with a registry's host (and the tag is an argument of its own)";
  imageTag = where: tag:
    tag == null || match "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}" tag != null
    || throw "${where}: \"${tag}\" is not a tag that an image can have; it is made of up to 128 letters, digits and . _ -, and does not begin with . or -";
  config = where: config:
    if config == null then true
    else if !builtins.isAttrs config then throw "${where}: config must be a set, but it is ${kind config}"
    else
      listOfText where "Cmd" "[ \"/bin/hello\" \"-t\" ]" config
      && listOfText where "Entrypoint" "[ \"/bin/hello\" ]" config
      && listOfText where "Env" "[ \"NAME=value\" ]" config
      && environment where config
      && setOf where "ExposedPorts" "{ \"8080/tcp\" = { }; }" config
      && setOf where "Volumes" "{ \"/data\" = { }; }" config
      && setOf where "Labels" "{ \"org.example.name\" = \"value\"; }" config
      && text where "WorkingDir" config
      && text where "User" config;
  created = where: name: value:
    value == "now"
    || match "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})" value != null
    || throw "${where}: ${name} must be \"now\" or a date such as \"1970-01-01T00:00:01Z\", but it is \"${toString value}\"";
  compressor = where: known: value:
    known ? ${value}
    || throw "${where}: compressor must be one of ${lib.concatStringsSep ", " (builtins.attrNames known)}, but it is \"${toString value}\"";
}
