# What stands in `config`, as Docker's engine reads it: its keys, and what each of them must be.
{ lib, shapes, kind, faultAt, near }:

let
  inherit (builtins) attrNames elem isAttrs isList isString match;

  isSet = value: isAttrs value && !(lib.isDerivation value);
  text = shapes.orNull shapes.text;
  words = example: shapes.orNull (shapes.listOf { is = item: item == null || shapes.text.is item; } example);
  # A string is one word to Docker, whatever is in it.
  command = example: let list = words example; in list // { is = value: shapes.text.is value || list.is value; };
  flag = shapes.orNull shapes.bool;
  number = shapes.orNull shapes.number;
  setOf = item: example: {
    is = value: value == null || isSet value && builtins.all item (builtins.attrValues value);
    what = "a set, such as ${example}";
    inherit item;
  };
  names = setOf (value: value == null || isSet value);

  keys = {
    Cmd = command "[ \"/bin/hello\" \"-t\" ]";
    Entrypoint = command "[ \"/bin/hello\" ]";
    Shell = command "[ \"/bin/sh\" \"-c\" ]";
    Env = words "[ \"NAME=value\" ]";
    OnBuild = words "[ \"RUN true\" ]";
    ExposedPorts = names "{ \"8080/tcp\" = { }; }";
    Volumes = names "{ \"/data\" = { }; }";
    Labels = setOf (value: value == null || shapes.text.is value) "{ \"org.example.name\" = \"value\"; }";
    Healthcheck = { is = value: value == null || isSet value; what = "a set, such as { Test = [ \"CMD\" \"/bin/true\" ]; }"; };
    StopTimeout = number;
  }
  // lib.genAttrs [ "Domainname" "Hostname" "Image" "MacAddress" "StopSignal" "User" "WorkingDir" ] (_: text)
  // lib.genAttrs [
    "ArgsEscaped" "AttachStderr" "AttachStdin" "AttachStdout" "NetworkDisabled" "OpenStdin" "StdinOnce" "Tty"
  ] (_: flag)
  // lib.genAttrs [ "CpuShares" "Memory" "MemorySwap" ] (_: number);

  healthKeys = { Test = words "[ \"CMD\" \"/bin/true\" ]"; }
  // lib.genAttrs [ "Interval" "Retries" "StartInterval" "StartPeriod" "Timeout" ] (_: number);

  # What others call these keys.
  otherNames = {
    env = "Env"; environment = "Env"; envs = "Env"; command = "Cmd"; ports = "ExposedPorts"; expose = "ExposedPorts";
    workdir = "WorkingDir"; cwd = "WorkingDir"; mounts = "Volumes";
  };

  tellUnknown = named: path: known: set: result:
    lib.foldl'
      (rest: key:
        let meant = near otherNames known key;
        in
        if elem key known then rest
        else if meant != null && lib.toLower meant == lib.toLower key then
          lib.warn "in ${named}: ${path}.${key} is called ${meant}; Docker takes it as it is, not everybody does" rest
        else
          lib.warn ("in ${named}: ${path}.${key} is nothing that Docker knows, and has no effect"
            + lib.optionalString (meant != null) "; is it ${meant} that is meant?") rest)
      result
      (attrNames set);

  # How it would have to be written, where that is plain.
  advice = key: value:
    if key == "Env" && isSet value then
      let name = if value == { } then "NAME" else builtins.head (attrNames value);
      in "; write [ \"${name}=…\" ], or lib.mapAttrsToList (name: value: \"\${name}=\${value}\") { … }"
    else if elem key [ "ExposedPorts" "Volumes" ] && isList value && value != [ ] && isString (builtins.head value) then
      "; write { \"${builtins.head value}\" = { }; }"
    else if builtins.isInt value then "; write \"${toString value}\""
    else "";

  checkKeys = where: path: at: known: set:
    let
      one = key:
        let
          shape = known.${key};
          value = set.${key};
          bad = if shape ? badOne then shape.badOne value else null;
          badKey = if shape ? item && isSet value then lib.findFirst (name: !(shape.item value.${name})) null (attrNames value) else null;
        in
        shape.is value || faultAt at set key ("${where}: ${path}.${key} must be ${shape.what}, but "
        + (if bad != null then "one of it is ${kind bad}"
        else if badKey != null then "its \"${badKey}\" is ${kind value.${badKey}}"
        else "it is ${kind value}")
        + advice key value);
    in
    builtins.all one (builtins.filter (key: known ? ${key}) (attrNames set));

  checkEnv = where: at: config:
    builtins.all
      (item:
        item == null || match "[^=]+=.*" (lib.replaceStrings [ "\n" ] [ " " ] (toString item)) != null
        || faultAt at config "Env" "${where}: config.Env must be a list of \"NAME=value\", but it has \"${toString item}\"")
      (if config.Env or null == null then [ ] else config.Env);

  tellTexts = named: config: result:
    lib.foldl'
      (rest: key:
        if !(config ? ${key}) || config.${key} == null || isList config.${key} then rest
        else
          lib.warn ("in ${named}: config.${key} is a string, which Docker reads as a list of that one word; its "
            + "containerd store and Podman take lists only, such as [ \"PROGRAM\" \"ARGUMENT\" ]") rest)
      result [ "Cmd" "Entrypoint" "Shell" ];
in
where: named: at: config:
if config == null then true
else if !(isSet config) then
  faultAt at { } "" "${where}: config must be a set, such as { Cmd = [ \"/bin/hello\" ]; }, but it is ${kind config}"
else
  let
    health = config.Healthcheck or null;
    checked = checkKeys where "config" at keys config
      && checkEnv where at config
      && (health == null || checkKeys where "config.Healthcheck" at healthKeys health);
  in
  checked
  && tellUnknown named "config" (attrNames keys) config
    (tellTexts named config
      (if health == null then true else tellUnknown named "config.Healthcheck" (attrNames healthKeys) health true))
