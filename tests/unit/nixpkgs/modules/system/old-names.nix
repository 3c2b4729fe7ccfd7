{ lib, ... }:
{
  imports = [
    (lib.mkRenamedOptionModule [ "networking" "hostName" ] [ "system" "name" ])
    (lib.mkAliasOptionModule [ "db" ] [ "postgres" ])
    (lib.mkRemovedOptionModule [ "postgres" "version" ] "There is one version only.")
    (lib.mkChangedOptionModule [ "postgres" "database" ] [ "postgres" "databases" ]
      (config: [{ name = config.postgres.database; }]))
  ];
}
