# What somebody writes who has such a system.
{ lib, config, ... }:
{
  networking.hostName = "alpha";
  db.enable = true;
  postgres.database = "shop";
  postgres.databases = lib.mkBefore [{ name = "wiki"; owner = "ann"; }];

  services = {
    web = { name, ... }: {
      command = "nginx";
      ports = lib.mkMerge [ [ 80 ] (lib.mkIf config.postgres.enable [ 443 ]) ];
      environment = { USER = "www"; HOME = "/srv"; DB_PORT = config.postgres.port; OLD = null; };
      settings = { workers = 4; log = "loud"; inherit name; };
    };
    postgres.after = [ "web" ];
    postgres.command = lib.mkForce [ "postgres" ];
    idle.enable = false;
  };
}
