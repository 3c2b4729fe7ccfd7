# A service with options of its own.
{ lib, config, ... }:
let cfg = config.postgres; in
{
  options.postgres = {
    enable = lib.mkEnableOption "PostgreSQL";
    port = lib.mkOption { type = lib.types.port; default = 5432; };
    databases = lib.mkOption {
      type = lib.types.listOf (lib.types.submodule ({ config, ... }: {
        options.name = lib.mkOption { type = lib.types.str; };
        options.owner = lib.mkOption { type = lib.types.str; default = config.name; defaultText = lib.literalMD "`name`"; };
      }));
      default = [ ];
    };
  };

  config = lib.mkIf cfg.enable {
    services.postgres = {
      command = lib.mkDefault [ "postgres" "-D" "/data" ];
      ports = [ cfg.port ];
      environment.DATABASES = lib.concatMapStringsSep "," (base: "${base.name}:${base.owner}") cfg.databases;
      settings.log = lib.mkOptionDefault "quiet";
    };
  };
}
