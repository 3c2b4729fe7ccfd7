# Images of projects in several languages, each built from the sources beside this file.
{ pkgs ? import <nixpkgs> { } }:

let
  image = name: contents: Cmd: pkgs.dockerTools.streamLayeredImage {
    name = "language-${name}";
    tag = "1";
    inherit contents;
    extraCommands = "mkdir -p -m 1777 tmp";
    config = { inherit Cmd; Env = [ "PATH=/bin" ]; };
  };
  script = text: [ "/bin/sh" "-c" text ];

  greet = pkgs.perlPackages.buildPerlPackage {
    pname = "Greet";
    version = "1";
    src = ./perl;
    propagatedBuildInputs = [ pkgs.perlPackages.JSONXS ];
  };
  perl = pkgs.perl.withPackages (p: [ greet p.DBI p.DBDSQLite p.HTTPDaemon ]);

  jar = pkgs.stdenv.mkDerivation {
    name = "jar";
    src = ./jar;
    nativeBuildInputs = [ pkgs.jdk_headless pkgs.makeWrapper ];
    buildPhase = "javac Main.java && jar cfe app.jar Main *.class";
    installPhase = ''
      install -Dm644 app.jar $out/share/app.jar
      makeWrapper ${pkgs.jre_headless}/bin/java $out/bin/app --add-flags "-jar $out/share/app.jar"
    '';
  };

  php = pkgs.php.buildEnv {
    extensions = { enabled, all }: enabled ++ [ all.redis ];
    extraConfig = "memory_limit = 77M";
  };
  fpm = pkgs.writeText "php-fpm.conf" ''
    [global]
    error_log = /dev/stderr
    pid = /tmp/fpm.pid
    [www]
    user = nobody
    group = nobody
    listen = /tmp/fpm.sock
    listen.mode = 0666
    pm = static
    pm.max_children = 1
  '';
  site = pkgs.writeTextDir "index.php" ''
    <?php echo ini_get("memory_limit"), " ", extension_loaded("redis"), " ", php_sapi_name(), "\n";
  '';
  nginx = pkgs.writeText "nginx.conf" ''
    daemon on;
    user nobody nobody;
    pid /tmp/nginx.pid;
    error_log stderr;
    events { }
    http {
      access_log off;
      server {
        listen 8080;
        root ${site};
        location / {
          fastcgi_pass unix:/tmp/fpm.sock;
          include ${pkgs.nginx}/conf/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME ${site}/index.php;
        }
      }
    }
  '';
in
{
  perl = image "perl" [ pkgs.dockerTools.binSh ]
    (script "${greet}/bin/greet && ${perl}/bin/perl -MGreet -MDBI -MHTTP::Daemon -e 'print DBI->connect(q(dbi:SQLite:))->selectrow_array(q(select 40 + 2))'");
  jar = image "jar" [ ] [ "${jar}/bin/app" "word" ];
  php-fpm = image "php-fpm" [ pkgs.dockerTools.binSh pkgs.dockerTools.fakeNss ]
    (script "${php}/bin/php-fpm -y ${fpm} && ${pkgs.nginx}/bin/nginx -c ${nginx} && ${pkgs.curl}/bin/curl -s http://localhost:8080/");
  ruby = image "ruby" [ ] [
    "${pkgs.ruby.withPackages (ps: [ ps.sinatra ps.puma ])}/bin/ruby" "-e"
    "require 'sinatra/base'; require 'puma'; require 'openssl'; require 'json'; puts JSON.dump([Sinatra.name, 42])"
  ];
  lua = image "lua" [ ] [
    "${pkgs.lua5_4.withPackages (ps: [ ps.luasocket ps.lua-cjson ps.penlight ])}/bin/lua" "-e"
    "require('socket'); print(require('cjson').encode({ 1, 2 }), require('pl.stringx').strip(' x '))"
  ];
  composer = image "composer" [ pkgs.dockerTools.binSh ] (script "HOME=/tmp ${pkgs.phpPackages.composer}/bin/composer --version");
  maven = image "maven" [ pkgs.dockerTools.binSh ] (script "HOME=/tmp ${pkgs.maven}/bin/mvn --version");
}
