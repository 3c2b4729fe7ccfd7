{ lib, config, ... }:
let
  inherit (lib) mkEnableOption mkIf mkOption types;

  service = { name, config, options, ... }: {
    # What a unit knows, whether it is declared here or not.
    options = {
      enable = mkEnableOption "the service" // { default = true; };
      command = mkOption {
        type = types.coercedTo types.str lib.singleton (types.nonEmptyListOf types.str);
        description = "What is run.";
      };
      ports = mkOption {
        type = types.listOf types.port;
        default = [ ];
        description = "Where it listens.";
      };
      environment = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.int types.path ]));
        default = { };
        description = "Variables; null unsets one.";
      };
      after = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
      settings = mkOption {
        description = "The configuration file.";
        default = { };
        type = types.submodule {
          freeformType = types.attrsOf (types.either types.int types.str);
          options.log = mkOption {
            type = types.enum [ "quiet" "loud" ];
            default = "quiet";
          };
        };
      };
      unit = mkOption {
        type = types.lines;
        readOnly = true;
        internal = true;
      };
    };
    config.unit = lib.mkMerge [
      (lib.mkBefore "[${name}]")
      (lib.concatMapStringsSep " " toString ([ "run" ] ++ config.command))
      (mkIf (config.ports != [ ]) "ports ${toString config.ports}")
      (mkIf (options.after.highestPrio < 1500) (lib.mkAfter "after ${toString config.after}"))
    ];
  };
in
{
  options.services = mkOption {
    type = types.attrsOf (types.submodule service);
    default = { };
    description = "All that runs.";
  };

  config = {
    assertions =
      let ports = lib.concatMap (service: service.ports) (lib.attrValues config.services);
      in [{ assertion = lib.allUnique ports; message = "two services listen on one of ${toString ports}"; }];
    warnings = lib.mapAttrsToList (name: _: "${name} runs as root")
      (lib.filterAttrs (_: service: service.environment.USER or "root" == "root") config.services);
  };
}
