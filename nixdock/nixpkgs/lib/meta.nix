# What a package says of itself.
{ lib }:

let
  self = {
    addMetaAttrs = attrs: drv: drv // { meta = (drv.meta or { }) // attrs; };
    dontDistribute = self.addMetaAttrs { hydraPlatforms = [ ]; };
    setName = name: drv: drv // { inherit name; };
    updateName = f: drv: drv // { name = f drv.name; };
    appendToName = suffix: self.updateName (name:
      let parsed = builtins.parseDrvName name;
      in "${parsed.name}-${suffix}-${parsed.version}");
    mapDerivationAttrset = f: builtins.mapAttrs (_: value: if lib.attrsets.isDerivation value then f value else value);

    defaultPriority = 5;
    setPrio = priority: self.addMetaAttrs { inherit priority; };
    lowPrio = self.setPrio 10;
    lowPrioSet = self.mapDerivationAttrset self.lowPrio;
    hiPrio = self.setPrio (-10);
    hiPrioSet = self.mapDerivationAttrset self.hiPrio;

    # The program that a package is for.
    getExe = package:
      self.getExe' package (package.meta.mainProgram or (
        # Derivations of nixpkgs without the attribute are taken at their name, told of it.
        lib.trivial.warn
          "getExe: Package ${lib.strings.escapeNixString package.meta.name or package.pname or package.name} does not have the meta.mainProgram attribute. We'll assume that the main program has the same name for now, but this behavior is deprecated, because it leads to surprising errors when the assumption does not hold. If the package has a main program, please set `meta.mainProgram` in its definition to make this warning go away. Otherwise, if the package does not have a main program, or if you don't control its definition, use getExe' to specify the name to the program, such as lib.getExe' foo \"bar\"."
          (lib.strings.getName package)));
    getExe' = package: program:
      assert lib.asserts.assertMsg (lib.attrsets.isDerivation package)
        "lib.meta.getExe': The first argument is of type ${builtins.typeOf package}, but it should be a derivation instead.";
      assert lib.asserts.assertMsg (builtins.isString program)
        "lib.meta.getExe': The second argument is of type ${builtins.typeOf program}, but it should be a string instead.";
      assert lib.asserts.assertMsg (builtins.match ".*/.*" program == null)
        "lib.meta.getExe': The second argument \"${program}\" is a nested path with a \"/\" character, but it should just be the name of the executable instead.";
      "${lib.attrsets.getBin package}/bin/${program}";

    # A system, or what must be in a platform (where the pattern has `parsed`) or in how its name is read.
    platformMatch = platform: pattern:
      if builtins.isString pattern then pattern == platform.system or platform
      else lib.attrsets.matchAttrs (if pattern ? parsed then pattern else { parsed = pattern; }) platform;
    availableOn = platform: package:
      (!(package ? meta.platforms) || builtins.any (self.platformMatch platform) package.meta.platforms)
      && !builtins.any (self.platformMatch platform) (package.meta.badPlatforms or [ ]);

    # A version as the two parts that security advisories know: `version`, and its last number as `update`.
    cpeFullVersionWithVendor = vendor: version: { inherit vendor version; update = "*"; };
    tryCPEPatchVersionInUpdateWithVendor = vendor: version:
      let found = builtins.match "([0-9]+\\.[0-9]+)\\.([0-9]+)" version;
      in
      if found == null then {
        success = false;
        error = "could not split the version ${version}: it is not of the form MAJOR.MINOR.PATCH";
      } else {
        success = true;
        value = { inherit vendor; version = builtins.elemAt found 0; update = builtins.elemAt found 1; };
      };
    cpePatchVersionInUpdateWithVendor = vendor: version:
      let tried = self.tryCPEPatchVersionInUpdateWithVendor vendor version;
      in if tried.success then tried.value else throw "cpePatchVersionInUpdateWithVendor: ${tried.error}";

    licensesSpdx = lib.attrsets.mapAttrs' (_: license: lib.attrsets.nameValuePair license.spdxId license)
      (lib.attrsets.filterAttrs (_: license: license ? spdxId) lib.licenses);
    getLicenseFromSpdxIdOr = id: default:
      let
        byLower = lib.attrsets.mapAttrs' (name: lib.attrsets.nameValuePair (lib.strings.toLower name)) self.licensesSpdx;
      in
      byLower.${lib.strings.toLower id} or default;
    getLicenseFromSpdxId = id:
      self.getLicenseFromSpdxIdOr id (lib.trivial.warn "getLicenseFromSpdxId: No license matches the given SPDX ID: ${id}" { shortName = id; });
  };
in
self
