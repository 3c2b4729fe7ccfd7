# What an engine would only refuse when the image is loaded or run, said while the expression is evaluated: under the
# name of the function that was called, with the place in the user's file.
{ lib }:

let
  inherit (builtins) all isAttrs isBool isFunction isInt isList isPath isString match typeOf;
  inherit (lib) isDerivation;

  config = import ./check-config.nix { inherit lib shapes kind faultAt near; };

  kind = value:
    if isDerivation value then "a derivation"
    else { set = "a set"; list = "a list"; string = "a string"; int = "a number"; bool = "a boolean"; null = "null"; path = "a path"; lambda = "a function"; }.${typeOf value} or "a ${typeOf value}";

  # Text of any origin: what interpolation makes a string of.
  isText = value: isString value || isPath value || isDerivation value || value ? __toString || value ? outPath;
  isStored = value: isPath value || isString value && lib.hasPrefix "/" value || isDerivation value || value ? outPath;

  # What a value must be. `short` is told where the value itself is worth showing.
  shapes = rec {
    string = { is = isString; what = "a string"; };
    text = { is = isText; what = "a string"; };
    bool = { is = isBool; what = "true or false"; };
    number = { is = isInt; what = "a number"; };
    # nixpkgs writes it into texts, where a string is as good.
    digits = { is = value: isInt value || isString value && match "[0-9]+" value != null; what = "a number"; };
    set = { is = isAttrs; what = "a set"; };
    stored = { is = isStored; what = "a package or a path"; };
    orNull = shape: shape // { is = value: value == null || shape.is value; };
    listOf = shape: example: {
      is = value: isList value && all shape.is value;
      what = "a list of strings, such as ${example}";
      badOne = value: if isList value then lib.findFirst (item: !(shape.is item)) null value else null;
    };
    # One, or a list of several; null is none, and a list in a list is as good.
    contents = {
      is = value: all (item: item == null || isStored item) (lib.flatten value);
      what = "a package or a path, or a list of them";
      badOne = value:
        if isList value then lib.findFirst (item: item != null && !(isStored item)) null (lib.flatten value) else null;
    };
    pipeline = { is = value: isList value || isStored value; what = "a list of operations, or a file of them"; };
  };

  shown = value:
    if isString value && builtins.stringLength value < 80 && match "[^\n]*" value != null then "\"${value}\""
    else if isInt value then toString value
    else kind value;

  # `set` may say where it was written: what is wrong stands at `name` in it, or else at a place that is known.
  faultAt = fallback: set: name: sentence:
    let
      own = builtins.unsafeGetAttrPos name set;
      place = if own != null then own else fallback;
    in
    throw (sentence + lib.optionalString (place != null && lib.hasPrefix "/" place.file)
      " (at ${place.file}:${toString place.line}:${toString place.column})");

  # Of the names that are known the one that is meant by another, or null; `others` are names that are used elsewhere,
  # in small letters.
  near = others: known: name:
    let
      lower = lib.toLower name;
      distance = one: lib.strings.levenshtein (lib.toLower one) lower;
      close = builtins.filter (one: distance one <= 2 || lib.hasPrefix lower (lib.toLower one)) known;
    in
    if builtins.elem (others.${lower} or null) known then others.${lower}
    else if close == [ ] then null
    else builtins.head (lib.sortOn distance close);

  # What arguments are called in another function of images.
  otherArguments = {
    copytoroot = "contents"; paths = "contents"; packages = "contents";
    fakerootcommands = "runAsRoot"; runasroot = "fakeRootCommands";
  };
  configKeys = [ "Cmd" "Entrypoint" "Env" "ExposedPorts" "Healthcheck" "Labels" "User" "Volumes" "WorkingDir" ];

  said = shape: value:
    let bad = if shape ? badOne then shape.badOne value else null;
    in
    "must be ${shape.what}, but " + (if bad != null then "it has ${shown bad}" else "it is ${shown value}");

  component = "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*";
  host = "[a-zA-Z0-9.-]+(:[0-9]+)?";

  # What a string must be besides; each gives a sentence that begins after the name of the function, or null.
  rules = {
    name = value:
      if match "(${host}/)?${component}(/${component})*" (lib.toLower value) != null then null
      else "\"${value}\" is not a name that an image can have; it is made of letters, digits and single . _ - between them, in parts separated by /, and may begin with a registry's host (and the tag is an argument of its own)";
    tag = value:
      if match "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}" value != null then null
      else "\"${value}\" is not a tag that an image can have; it is made of up to 128 letters, digits and . _ -, and does not begin with . or -";
    created = moment "created";
    mtime = moment "mtime";
  };
  moment = name: value:
    if value == "now" || match "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})" value != null then null
    else "${name} must be \"now\" or a date such as \"1970-01-01T00:00:01Z\", but it is \"${value}\"";

  # Go's names of processors, and what others call them.
  architectures = [
    "386" "amd64" "arm" "arm64" "loong64" "mips" "mips64" "mips64le" "mipsle" "ppc64" "ppc64le" "riscv64" "s390x" "wasm"
  ];
  otherNames = { x86_64 = "amd64"; x86-64 = "amd64"; x64 = "amd64"; i386 = "386"; i686 = "386"; x86 = "386"; aarch64 = "arm64"; armv7l = "arm"; armv7 = "arm"; armhf = "arm"; };
  tellArchitecture = where: value: result:
    if builtins.elem value architectures then result
    else
      lib.warn ("in ${where}: architecture \"${value}\" is none that Docker knows"
        + lib.optionalString (otherNames ? ${value}) "; it calls it \"${otherNames.${value}}\"") result;
in
{
  inherit shapes kind;

  # Commands as text; null is none, as everywhere in a derivation.
  textOf = value: if value == null then "" else "${value}";

  # The function `f`, which refuses arguments that it does not have, and names those that it lacks.
  called = where: f:
    let
      known = lib.functionArgs f;
      refuse = args: name:
        let meant = near otherArguments (builtins.attrNames known) name; in
        faultAt null args name ("${where}: there is no argument '${name}'"
        + (if known ? config && builtins.elem name configKeys then "; it is config.${name} that is meant"
        else lib.optionalString (meant != null) "; is it ${meant} that is meant?"));
    in
    lib.setFunctionArgs
      (args:
        assert isAttrs args
          || throw "${where} takes a set, such as { name = \"hello\"; }, but it was given ${kind args}";
        assert all (name: known ? ${name} || refuse args name) (builtins.attrNames args);
        assert all (name: known.${name} || args ? ${name} || throw "${where} needs an argument '${name}'")
          (builtins.attrNames known);
        f args)
      known;

  # Whether the arguments that a function was given are of the shapes in `wanted`; its config is looked into.
  arguments = where: wanted: args:
    let
      at = faultAt null args;
      one = name: shape:
        if !(args ? ${name}) then true
        else if !(shape.is args.${name}) then at name "${where}: ${name} ${said shape args.${name}}"
        else if args.${name} == null || !(rules ? ${name}) then true
        else
          let sentence = rules.${name} args.${name};
          in if sentence == null then true else at name "${where}: ${sentence}";
      checked = all (name: one name wanted.${name}) (builtins.attrNames wanted);
      named = "${where} of \"${toString (args.name or "")}\"";
      checkedConfig = !(args ? config) || config where named (builtins.unsafeGetAttrPos "config" args) args.config;
    in
    checked && checkedConfig
    && (if args ? architecture then tellArchitecture named args.architecture true else true);

  # Whether what an image is put on can be one.
  base = where: args:
    !((args.fromImage or null).isExe or false)
    || faultAt null args "fromImage"
      "${where}: fromImage is a script that streams an image; give the archive, which buildLayeredImage makes of it";

  drv = where: args:
    isDerivation args.drv
    || faultAt null args "drv" "${where}: drv must be a derivation, whose environment the image is to have, but it is ${shown args.drv}";

  fault = where: args: name: sentence: faultAt null args name "${where}: ${sentence}";

  compressor = where: known: args:
    !(args ? compressor) || isString args.compressor && known ? ${args.compressor}
    || faultAt null args "compressor"
      "${where}: compressor must be one of ${lib.concatStringsSep ", " (builtins.attrNames known)}, but it is ${shown args.compressor}";
}
