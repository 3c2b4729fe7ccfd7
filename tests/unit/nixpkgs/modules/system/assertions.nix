{ lib, config, ... }:
{
  options = {
    assertions = lib.mkOption {
      type = lib.types.listOf lib.types.unspecified;
      default = [ ];
      internal = true;
    };
    warnings = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      internal = true;
    };
    system.build = lib.mkOption {
      type = lib.types.raw;
      readOnly = true;
      description = "All units as text, if every assertion holds.";
    };
  };

  config.system.build =
    let failed = lib.filter (one: !one.assertion) config.assertions;
    in
    if failed != [ ] then throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (one: "- ${one.message}") failed}"
    else lib.mapAttrs (_: service: service.unit) (lib.filterAttrs (_: service: service.enable) config.services);
}
