# PostgreSQL and what extends it: `postgresql.withPackages (ps: [ ps.postgis ])`.
{ lib, debian, final, from, ... }:

let
  server = from "postgresql" "postgres";
  major = lib.versions.major server.version;

  # Extensions that Debian calls otherwise; all others are postgresql-15-<name>.
  names = {
    pg_auto_failover = "auto-failover";
    pg_cron = "cron";
    pg_hint_plan = "pg-hint-plan";
    pg_partman = "partman";
    pg_rational = "rational";
    pg_repack = "repack";
    pg_similarity = "similarity";
    pg_squeeze = "squeeze";
    plpgsql_check = "plpgsql-check";
    postgis = "postgis-3";
  };
  prefix = "postgresql-${major}-";
  there = builtins.filter (lib.hasPrefix prefix) debian.names;
  packages = lib.listToAttrs (map (name: lib.nameValuePair (lib.removePrefix prefix name) (debian.package name)) there)
    // lib.mapAttrs (_: name: debian.package "${prefix}${name}") names;

  # The server and its extensions as one. Its programs look for their files from where they themselves are: they are
  # copies, all else is links.
  withPackages = choose:
    let
      # The scripts of some are a package of their own.
      withScripts = one:
        let scripts = "${one.debianName}-scripts"; in [ one ] ++ lib.optional (debian.has scripts) (debian.package scripts);
      extensions = lib.concatMap withScripts (choose packages);
      env = final.runCommandLocal "postgresql-and-plugins-${server.version}" { inherit extensions server; } ''
        bins=lib/postgresql/${major}/bin
        mkdir -p $out/bin $out/lib/postgresql/${major} $out/share/postgresql
        cp -r $server/$bins $out/$bins
        cp -rs $server/lib/postgresql/${major}/lib $out/lib/postgresql/${major}/lib
        cp -rs $server/share/postgresql/${major} $out/share/postgresql/${major}
        chmod -R u+w $out
        for extension in $extensions; do
          for part in lib/postgresql/${major}/lib share/postgresql/${major}; do
            if [ -d $extension/$part ]; then
              cp -rs --no-preserve=mode $extension/$part/. $out/$part
            fi
          done
        done
        for program in $out/$bins/*; do
          ln -s ../$bins/''${program##*/} $out/bin
        done
      '';
    in
    env // {
      inherit (server) pname version meta;
      pkgs = packages;
      inherit withPackages;
    };
in
{
  postgresql = server.withFacts (facts: {
    passthru = facts.passthru // { pkgs = packages; inherit withPackages; psqlSchema = major; };
  });
  postgresqlPackages = packages;
}
