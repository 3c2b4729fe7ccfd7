# PHP: `php`, `php.withExtensions ({ enabled, all }: enabled ++ [ all.redis ])`, `php.buildEnv { extraConfig = …; }`.
#
# Debian has the extensions in packages of several. Each is loaded by its whole path, from a php.ini of its own.
{ lib, debian, pkgs }:

let
  # What Debian calls PHP with its version: php8.2.
  prefix = builtins.head (builtins.filter (name: debian.has "${name}-cli")
    (map (version: "php${version}") [ "8.5" "8.4" "8.3" "8.2" "8.1" ]));
  cli = debian.package "${prefix}-cli";
  number = lib.replaceStrings [ "php" "." ] [ "" "" ] prefix;

  # Extensions by Debian's packages, where these have another name or more than one.
  packaged = {
    common = [
      "calendar" "ctype" "exif" "ffi" "fileinfo" "ftp" "gettext" "iconv" "pdo" "phar" "posix" "shmop" "sockets" "sysvmsg"
      "sysvsem" "sysvshm" "tokenizer"
    ];
    mysql = [ "mysqlnd" "mysqli" "pdo_mysql" ];
    odbc = [ "odbc" "pdo_odbc" ];
    pgsql = [ "pgsql" "pdo_pgsql" ];
    sqlite3 = [ "sqlite3" "pdo_sqlite" ];
    sybase = [ "pdo_dblib" ];
    xml = [ "dom" "simplexml" "xml" "xmlreader" "xmlwriter" "xsl" ];
  };
  alone = [
    "amqp" "apcu" "ast" "bcmath" "bz2" "curl" "dba" "ds" "enchant" "gd" "gearman" "gmp" "gnupg" "http" "igbinary" "imagick" "imap"
    "intl" "ldap" "mailparse" "mbstring" "memcache" "memcached" "mongodb" "msgpack" "oauth" "opcache" "pcov" "pspell" "raphf"
    "readline" "redis" "rrd" "snmp" "soap" "solr" "ssh2" "stomp" "tidy" "uuid" "xdebug" "yac" "yaml" "zip" "zmq"
  ];
  # Part of the program itself.
  inside = [ "date" "filter" "hash" "json" "libxml" "openssl" "pcntl" "pcre" "random" "session" "sodium" "spl" "standard" "zlib" ];

  # Extensions that others are built on are loaded first.
  first = [ "opcache" "xdebug" "pdo" "mysqlnd" "dom" "xml" "igbinary" "msgpack" "raphf" ];
  needed = {
    mysqli = [ "mysqlnd" ];
    pdo_mysql = [ "pdo" "mysqlnd" ];
    pdo_odbc = [ "pdo" ];
    pdo_pgsql = [ "pdo" ];
    pdo_sqlite = [ "pdo" ];
    pdo_dblib = [ "pdo" ];
    redis = [ "igbinary" ];
    memcached = [ "igbinary" "msgpack" ];
    xmlreader = [ "dom" ];
    xsl = [ "dom" ];
    http = [ "raphf" ];
  };

  extension = package: name: debian.package "${prefix}-${package}" // {
    pname = "php-${name}";
    extensionName = name;
    internal = false;
  };
  extensions = lib.concatMapAttrs (package: names: lib.genAttrs names (extension package)) packaged
    // lib.genAttrs alone (name: extension name name)
    // lib.genAttrs inside (name: { type = "derivation"; name = "php-${name}"; pname = "php-${name}"; extensionName = name; internal = true; outPath = "${cli}"; });

  enabledByDefault = map (name: extensions.${name}) [
    "bcmath" "calendar" "ctype" "curl" "dom" "exif" "fileinfo" "ftp" "gd" "gettext" "gmp" "iconv" "intl" "ldap" "mbstring"
    "mysqli" "mysqlnd" "opcache" "pdo" "pdo_mysql" "pdo_pgsql" "pdo_sqlite" "pgsql" "posix" "readline" "shmop" "simplexml" "soap"
    "sockets" "sqlite3" "sysvsem" "tokenizer" "xml" "xmlreader" "xmlwriter" "zip"
  ];

  # In the order in which PHP is to load them, with what they are built on.
  ordered = chosen:
    let
      asked = lib.concatMap (one: needed.${one.extensionName} or [ ] ++ [ one.extensionName ]) (lib.filter (one: !one.internal) chosen);
      names = lib.unique (builtins.filter (name: builtins.elem name asked) first ++ asked);
    in
    map (name: extensions.${name}) names;

  make = { chosen, extraConfig }:
    let
      # What it loads that is not of Debian: a derivation with its library anywhere below `lib/php`.
      own = builtins.filter (one: !(one ? internal)) chosen;
      env = pkgs.runCommandLocal "php-with-extensions-${cli.version}"
        {
          nativeBuildInputs = [ pkgs.makeWrapper ];
          inherit extraConfig;
          passAsFile = [ "extraConfig" ];
          extensions = map (one: "${one.extensionName}=${one}") (ordered (builtins.filter (one: one ? internal) chosen))
            ++ map (one: "${one.extensionName or (lib.getName one)}=${one}") own;
          passthru = {
            pname = "php";
            inherit (cli) version;
            unwrapped = cli;
            inherit extensions packages;
            enabledExtensions = chosen;
            buildEnv = args: make {
              extraConfig = args.extraConfig or "";
              chosen = if args ? extensions then args.extensions { enabled = chosen; all = extensions; } else chosen;
            };
            withExtensions = choose: env.buildEnv { inherit extraConfig; extensions = choose; };
            phpIni = "${env}/lib/php.ini";
            override = _: env;
            buildComposerProject = _: throw composerProject;
            buildComposerProject2 = _: throw composerProject;
          };
          meta = cli.meta // { mainProgram = "php"; };
        }
        ''
          mkdir -p $out/bin $out/lib
          for pair in $extensions; do
            name=''${pair%%=*} kind=extension
            file=$(find -L ''${pair#*=}/lib/php -name $name.so | head -n 1)
            if [ -z "$file" ]; then echo "''${pair#*=} has no $name.so below lib/php"; exit 1; fi
            case $name in opcache | xdebug) kind=zend_extension ;; esac
            echo "$kind=$file" >> $out/lib/php.ini
          done
          cat $extraConfigPath >> $out/lib/php.ini
          wrap() { makeWrapper $1 $out/bin/$2 --set PHP_INI_SCAN_DIR $out/lib; }
          wrap ${cli}/bin/${prefix} php
          wrap ${debian.package "${prefix}-fpm"}/bin/php-fpm${lib.removePrefix "php" prefix} php-fpm
        '';
      packages = {
        # Its libraries look for each other beside themselves: they are copied into one directory.
        composer = pkgs.runCommandLocal "composer-${(debian.package "composer").version}"
          {
            nativeBuildInputs = [ pkgs.makeWrapper ];
            meta.mainProgram = "composer";
          }
          ''
            mkdir -p $out/share $out/bin
            for unit in ${toString (debian.closure [ "composer" ])}; do
              if [ -d $unit/share/php ]; then cp -rn --no-preserve=mode $unit/share/php $out/share; fi
            done
            install -Dm644 ${debian.package "composer"}/bin/composer $out/share/composer/bin/composer
            sed -i "s|__DIR__ . '/../share/php|'$out/share/php|" $out/share/composer/bin/composer
            makeWrapper ${env}/bin/php $out/bin/composer --add-flags $out/share/composer/bin/composer \
              --suffix PATH : ${lib.makeBinPath (with pkgs; [ git unzip ])}
          '';
      };
    in
    env;

  composerProject = "php.buildComposerProject fetches what composer.lock names, which the offline package set cannot do; "
    + "put the project with its vendor directory into the image, or use the real nixpkgs (--nixpkgs PATH)";

  php = make { chosen = enabledByDefault; extraConfig = ""; };
in
{
  inherit php;
  phpPackages = php.packages;
  phpExtensions = php.extensions;
}
