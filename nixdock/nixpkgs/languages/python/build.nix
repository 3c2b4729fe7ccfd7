# buildPythonPackage and buildPythonApplication: projects built from source by their own build back ends, beside
# the modules that Debian has.
{ lib, pkgs, python, packages, pythonVersion, environment, flatten }:

let
  hooks = packages.pythonHooks;

  # What is for Python among some inputs: it goes into the environment that builds, all of it together.
  isModule = input: builtins.isAttrs input && 
    (input ? pythonModule || input ? pythonModules || lib.hasPrefix "python3-" (input.pname or ""));
  modulesOf = inputs: lib.concatMap (input: input.pythonModules or [ input ]) (builtins.filter isModule inputs);
  others = builtins.filter (input: !isModule input || input ? pythonModules);

  own = [
    "format" "pyproject" "build-system" "dependencies" "optional-dependencies" "disabled" "pythonPath"
    "nativeCheckInputs" "checkInputs" "nativeInstallCheckInputs" "installCheckInputs" "namePrefix" "catchConflicts"
    "doCheck" "checkPhase" "meta" "passthru" "enabledTestPaths" "stdenv"
  ];

  make = isApplication: fnOrAttrs:
    let
      made = (pkgs.stdenv.mkDerivation (final:
        transform isApplication (if lib.isFunction fnOrAttrs then fnOrAttrs final else fnOrAttrs)));
    in
    made // {
      overridePythonAttrs = change: make isApplication (final:
        let old = if lib.isFunction fnOrAttrs then fnOrAttrs final else fnOrAttrs;
        in old // (if lib.isFunction change then change old else change));
    };

  transform = isApplication: attrs:
    let
      inputs = names: flatten (map (name: attrs.${name} or [ ]) names);
      format =
        if attrs.format or null != null then attrs.format
        else if attrs.pyproject or null == null then "setuptools"
        else if attrs.pyproject then "pyproject" else "other";
      known = [ "pyproject" "setuptools" "flit" "wheel" "other" ];
      built = format != "other";
      doCheck = attrs.doCheck or true;
      dependencies = inputs [ "dependencies" "propagatedBuildInputs" ];
      checkInputs = lib.optionals doCheck
        (inputs [ "nativeCheckInputs" "checkInputs" "nativeInstallCheckInputs" "installCheckInputs" ]);
      native = inputs [ "build-system" "nativeBuildInputs" ];
      libraries = inputs [ "buildInputs" ];

      # All that building and checking imports.
      modules = modulesOf (native ++ libraries ++ dependencies ++ checkInputs ++ inputs [ "pythonPath" ])
        ++ lib.optionals (built && format != "wheel") ([ packages.wheel packages.setuptools ]
        ++ lib.optional (format == "flit") packages.flit-core);
      builderPython = environment "python${pythonVersion}-build-env" modules;

      baseName = attrs.pname or (lib.getName attrs.name);
      prefix = attrs.namePrefix or (if isApplication then "" else "python${pythonVersion}-");
      name = prefix + (attrs.name or "${attrs.pname}-${attrs.version or "0"}");

      rest = removeAttrs attrs own;
    in
    if attrs.disabled or false then
      throw "${baseName} is not for the Python of this package set, ${pythonVersion} (disabled = true)"
    else if !(builtins.elem format known) then
      throw "${baseName}: Python projects of the format '${format}' are not built by the offline package set, but ${lib.concatStringsSep ", " known}; or use the real nixpkgs (--nixpkgs PATH)"
    else
      rest // {
        inherit name;
        pythonFormat = format;
        strictDeps = attrs.strictDeps or false;
        LANG = "C.UTF-8";
        nativeBuildInputs = [ builderPython hooks.build ]
          ++ lib.optional (attrs ? pythonImportsCheck) packages.pythonImportsCheckHook
          ++ others (native ++ checkInputs);
        buildInputs = others libraries ++ lib.optional (built && format != "wheel") hooks.headers;
        propagatedBuildInputs = dependencies ++ [ python ];
        # Scripts find the modules that they were built with, at the places that they have in the store.
        pythonBuildEnvironment = "${builderPython}";
        pythonPath = map (input: "${input}") (inputs [ "pythonPath" ]);
        # What is installed is checked, not what lies in the source.
        doCheck = false;
        doInstallCheck = doCheck && (attrs.doInstallCheck or true);
        installCheckPhase = attrs.installCheckPhase or attrs.checkPhase or "";
        postFixup = lib.optionalString (!(attrs.dontWrapPythonPrograms or false)) "wrapPythonPrograms\n"
          + (attrs.postFixup or "");
        passthru = {
          inherit dependencies;
          build-system = inputs [ "build-system" ];
          optional-dependencies = attrs.optional-dependencies or { };
          pythonModule = if isApplication then false else python;
          pythonPath = [ ];
          requiredPythonModules = modulesOf dependencies;
          disabled = false;
        } // attrs.passthru or { };
        meta = { mainProgram = baseName; } // attrs.meta or { };
      };
in
rec {
  buildPythonPackage = make false;
  buildPythonApplication = make true;

  # What was built otherwise, with modules in it, as one that environments take in; and the other way round.
  toPythonModule = drv: drv // { pythonModule = python; };
  toPythonApplication = drv: drv // { pythonModule = false; };

  # Nothing but its dependencies.
  mkPythonMetaPackage = { pname, version ? "0", dependencies ? [ ], optional-dependencies ? { }, meta ? { }, passthru ? { } }:
    buildPythonPackage {
      inherit pname version dependencies optional-dependencies meta passthru;
      format = "other";
      dontUnpack = true;
      doCheck = false;
      metadata = ''
        Metadata-Version: 2.1
        Name: ${pname}
        Version: ${version}
      '' + lib.concatMapStrings (one: "Requires-Dist: ${one.pname or (lib.getName one)}\n") dependencies;
      passAsFile = [ "metadata" ];
      installPhase = ''
        folder=$out/${python.sitePackages}/${lib.replaceStrings [ "-" ] [ "_" ] pname}-${version}.dist-info
        mkdir -p $folder
        cp $metadataPath $folder/METADATA
      '';
    };
}
