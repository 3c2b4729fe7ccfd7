# Services of Docker Compose as options, as far as the projects here need them.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
  null' = type: mkOption { type = types.nullOr type; default = null; };
  list = type: mkOption { type = types.listOf type; default = [ ]; };
  some = lib.filterAttrs (_: value: value != null && value != [ ] && value != { });

  healthcheck = {
    options = {
      test = null' (types.listOf types.str);
      interval = mkOption { type = types.str; default = "30s"; };
      timeout = mkOption { type = types.str; default = "30s"; };
      start_period = mkOption { type = types.str; default = "0s"; };
      retries = mkOption { type = types.int; default = 3; };
    };
  };
  dependency.options.condition = mkOption {
    type = types.enum [ "service_started" "service_healthy" "service_completed_successfully" ];
    default = "service_started";
  };

  service = { config, options, ... }:
    let
      own = config.service;
      capabilities = value: lib.attrNames (lib.filterAttrs (_: one: one == value) own.capabilities);
      always = [ "environment" "sysctls" "volumes" ];
    in
    {
      options.out = mkOption { type = types.attrs; readOnly = true; };
      options.service = {
        image = null' types.str;
        command = null' types.unspecified;
        hostname = null' types.str;
        user = null' types.str;
        restart = null' types.str;
        dns = list types.str;
        ports = list types.unspecified;
        volumes = list types.unspecified;
        environment = mkOption { type = types.attrsOf (types.either types.str types.int); default = { }; };
        sysctls = mkOption { type = types.attrsOf types.int; default = { }; };
        labels = mkOption { type = types.attrsOf types.str; default = { }; };
        capabilities = mkOption { type = types.attrsOf (types.nullOr types.bool); default = { }; };
        depends_on = mkOption {
          type = types.either (types.listOf types.str) (types.attrsOf (types.submodule dependency));
          default = [ ];
        };
        # Nobody need say anything of it.
        healthcheck = mkOption { type = types.submodule healthcheck; };
      };
      config.out = lib.getAttrs always own // some (removeAttrs own (always ++ [ "capabilities" "healthcheck" ])) // some {
        cap_add = capabilities true;
        cap_drop = capabilities false;
      } // lib.optionalAttrs (options.service.healthcheck.isDefined) {
        healthcheck = lib.optionalAttrs (own.healthcheck.test != null) own.healthcheck;
      };
    };
in
{
  options = {
    project.name = mkOption { type = types.str; };
    services = mkOption { type = types.attrsOf (types.submodule service); default = { }; };
    document = mkOption { type = types.raw; readOnly = true; };
  };
  config.document = {
    networks.default.name = config.project.name;
    services = lib.mapAttrs (_: service: service.out) config.services;
  };
}
