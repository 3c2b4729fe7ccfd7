# mkDerivation: a set of attributes (or a function of the final ones) as a derivation that the phases build.
{ lib
, config
  # The environment: setup folder, shell, packages that are always there, and the compiler's.
, stdenv
}:

let
  inherit (lib) isFunction optionalAttrs;

  inputLists = [
    "depsBuildBuild" "nativeBuildInputs" "depsBuildTarget" "depsHostHost" "buildInputs" "depsTargetTarget"
    "propagatedNativeBuildInputs" "propagatedBuildInputs" "nativeCheckInputs" "checkInputs"
    "nativeInstallCheckInputs" "installCheckInputs"
  ];

  # What says something of a derivation without being part of its build.
  aside = [ "meta" "passthru" "pos" "env" "finalPackage" "overrideAttrs" ];

  # An input that is null, false or an empty list is none.
  flatten = inputs: builtins.filter (input: input != null && input != false) (lib.flatten inputs);
  input = name: value:
    # What is built with a library of Debian finds its programs too: its headers are a unit that cannot name them.
    if lib.isDerivation value then
      [ (lib.getDev value) ] ++ lib.optional (value ? withFacts && builtins.elem "bin" value.outputs) (lib.getBin value)
    else if builtins.isString value || builtins.isPath value then [ value ]
    else if builtins.isAttrs value && value ? outPath then [ value ]
    else throw "an element of ${name} is a ${builtins.typeOf value}, not a package";

  complain = name: meta: what: how:
    throw "${name} ${what}; ${how}${lib.optionalString (meta ? position) " (${meta.position})"}";
  licenses = meta: lib.toList (meta.license or [ ]);
  checkMeta = name: meta: value:
    if (meta.broken or false) && !(config.allowBroken or false) then
      complain name meta "is marked as broken" "set config.allowBroken = true to build it nevertheless"
    else if !(config.allowUnfree or false) && !((config.allowUnfreePredicate or (_: false)) { inherit name; pname = lib.getName name; })
      && builtins.any (license: !(license.free or true)) (builtins.filter builtins.isAttrs (licenses meta)) then
      complain name meta "has an unfree licence" "set config.allowUnfree = true to build it nevertheless"
    else if meta ? platforms && !(config.allowUnsupportedSystem or false) && !(lib.meta.availableOn stdenv.hostPlatform { inherit meta; }) then
      complain name meta "is not available on ${stdenv.hostPlatform.system}" "set config.allowUnsupportedSystem = true to try it nevertheless"
    else
      value;

  make = rattrs:
    let
      attrs = rattrs (attrs // { finalPackage = drv; inherit overrideAttrs; });
      overrideAttrs = change:
        let
          asOverlay = final: prev:
            if isFunction change then
              let one = change prev;
              in if isFunction one then change final prev else one
            else
              change;
        in
        make (lib.extends asOverlay rattrs);
      drv = fromAttrs attrs overrideAttrs;
    in
    drv;

  fromAttrs = attrs: overrideAttrs:
    let
      name =
        if attrs ? name then attrs.name
        else if attrs ? pname && attrs ? version then "${attrs.pname}-${attrs.version}"
        else if attrs ? pname then attrs.pname
        else throw "mkDerivation needs `name`, or `pname` and `version`";
      outputs = attrs.outputs or [ "out" ];
      env = attrs.env or { };
      clash = builtins.attrNames (builtins.intersectAttrs attrs env);
      exported = optionalAttrs (attrs ? meta.mainProgram) { NIX_MAIN_PROGRAM = attrs.meta.mainProgram; } // env;
      isStructured = attrs.__structuredAttrs or false;

      inputs = lib.genAttrs (builtins.filter (one: attrs ? ${one}) inputLists)
        (one: lib.concatMap (input one) (flatten attrs.${one}));

      # Others ask for these whether they were given or not.
      emptyLists = lib.genAttrs
        (builtins.filter (one: !(attrs ? ${one}))
          [ "buildInputs" "nativeBuildInputs" "propagatedBuildInputs" "propagatedNativeBuildInputs" "patches" ])
        (_: [ ]);

      # Checks run where programs can.
      doCheck = (attrs.doCheck or false) && stdenv.buildPlatform.canExecute stdenv.hostPlatform;
      doInstallCheck = (attrs.doInstallCheck or false) && stdenv.buildPlatform.canExecute stdenv.hostPlatform;

      # No binary cache has what is made of this set; Nix would wait for one that cannot be reached.
      derivationArgs = { allowSubstitutes = false; }
        // removeAttrs attrs aside
        # With structured attributes nothing else is exported.
        // (if isStructured then optionalAttrs (exported != { }) { env = exported; } else exported)
        // inputs
        // {
          inherit name outputs;
          system = stdenv.buildPlatform.system;
          builder = attrs.realBuilder or stdenv.shell;
          args = attrs.args or ([ "-e" "${stdenv}/default-builder.sh" ] ++ lib.optional (attrs ? builder) attrs.builder);
          stdenv = "${stdenv}";
          shell = stdenv.shell;
          inherit (stdenv) initialPath defaultNativeBuildInputs fixupCommand fixupLibraries;
          inherit doCheck doInstallCheck;
          strictDeps = attrs.strictDeps or false;
        }
        // optionalAttrs stdenv.hostPlatform.isStatic { dontDisableStatic = attrs.dontDisableStatic or true; };

      meta = {
        inherit name outputs;
        available = true;
        outputsToInstall = [ (if builtins.elem "bin" outputs then "bin" else builtins.head outputs) ]
          ++ lib.optional (builtins.elem "man" outputs) "man";
      }
      // (let position = builtins.unsafeGetAttrPos (if attrs ? pname then "pname" else "name") attrs;
      in optionalAttrs (position != null) { position = "${position.file}:${toString position.line}"; })
      // attrs.meta or { };

      passthru = attrs.passthru or { };
    in
    if clash != [ ] then
      throw "mkDerivation of ${name}: ${toString clash} stand both in `env` and beside it"
    else if !(builtins.isList outputs && outputs != [ ]) then
      throw "mkDerivation of ${name}: `outputs` must be a list of at least one name"
    else
      lib.extendDerivation true
        (emptyLists // {
          inherit meta passthru overrideAttrs stdenv name;
          drvAttrs = derivationArgs;
          overrideDerivation = lib.overrideDerivation (builtins.derivation derivationArgs);
          # All that a build needs, as something that can be kept from the garbage collector.
          inputDerivation = builtins.derivation (removeAttrs derivationArgs [ "outputHash" "outputHashAlgo" "outputHashMode" ] // {
            name = "inputDerivation-${name}";
            outputs = [ "out" ];
            # With structured attributes its names are in files, by Nix 2.8's name or that of the sandbox.
            args = [ "-c" ''
              for file in "$NIX_ATTRS_SH_FILE" "$NIX_BUILD_TOP/.attrs.sh"; do
                if [ -f "$file" ]; then . "$file"; out=''${outputs[out]}; break; fi
              done
              export > $out
            '' ];
          });
        } // passthru)
        (checkMeta name meta (builtins.derivation derivationArgs));
in
fnOrAttrs: make (if isFunction fnOrAttrs then fnOrAttrs else _: fnOrAttrs)
