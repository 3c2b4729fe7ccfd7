# Java: Debian's JREs and JDKs, whose packages only work as one directory, and Maven and Ant.
{ lib, debian, pkgs }:

let
  # Debian's own choice is in the version of the package that stands for it: 2:1.17-74.
  default = lib.removePrefix "1." (lib.versions.majorMinor (debian.package "default-jre-headless").version);
  known = builtins.filter (version: debian.has "openjdk-${version}-jre-headless") (map toString (lib.range 8 30));

  trusted = pkgs.runCommandLocal "java-cacerts" { nativeBuildInputs = [ pkgs.python3 ]; } ''
    python3 ${./builders/java_truststore.py} ${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt $out
  '';

  # A virtual machine asks the system where its programs and its largest library are, links resolved: these are
  # files of the new directory, all else in it are links.
  compose = version: kind: parts:
    let
      units = map (part: debian.package "openjdk-${version}-${part}") parts;
      package = pkgs.runCommandLocal "openjdk-${kind}-${(builtins.head units).version}"
        {
          nativeBuildInputs = [ pkgs.buildPackages.patchelf ];
          passthru = {
            pname = "openjdk-${kind}";
            inherit (builtins.head units) version;
            home = "${package}/lib/openjdk";
            fontconfig = null;
          };
          meta = {
            description = "Java ${version} of Debian";
            homepage = "https://openjdk.org";
            mainProgram = "java";
          };
        }
        ''
          home=$out/lib/openjdk
          mkdir -p $home $out/nix-support
          for unit in ${toString units}; do
            cp -rsn --no-preserve=mode $unit/lib/jvm/java-${version}-openjdk-*/. $home
          done
          rm -rf $home/man
          for file in $home/bin/* $home/lib/libjli.so $home/lib/jexec $home/lib/jspawnhelper $home/lib/*/libjvm.so; do
            if [ -e $file ]; then cp --remove-destination "$(readlink -f $file)" $file; fi
          done
          # Those of the JDK have been built apart from the library that they start by.
          for file in $home/bin/*; do
            chmod u+w $file
            patchelf --add-rpath '$ORIGIN/../lib' $file
          done
          ln -sf ${trusted} $home/lib/security/cacerts
          ln -s $home/bin $out/bin
          if [ -d $home/include ]; then ln -s $home/include $out/include; fi
          echo 'if [ -z "''${JAVA_HOME-}" ]; then export JAVA_HOME='$home'; fi' > $out/nix-support/setup-hook
        '';
    in
    package;

  of = version: rec {
    headless = compose version "jre-headless" [ "jre-headless" ];
    jre = compose version "jre" [ "jre-headless" "jre" ];
    jdk-headless = compose version "jdk-headless" [ "jre-headless" "jdk-headless" ];
    jdk = compose version "jdk" [ "jre-headless" "jre" "jdk-headless" "jdk" ]
      // { inherit jre; headless = jdk-headless; };
  };
  versions = lib.genAttrs known of;
  chosen = versions.${default};

  inherit (import ../packages/versions.nix { inherit lib debian; }) refuse;
  # `openjdk17_headless`, `jdk21`, `temurin-bin-17`: of each version the package, or what there is.
  numbered = lib.listToAttrs (lib.concatMap
    (version: map
      ({ prefix, suffix ? "", kind }: {
        name = prefix + version + suffix;
        value =
          if versions ? ${version} then versions.${version}.${kind}
          else refuse {
            name = prefix + version + suffix;
            label = "Java";
            attribute = "jdk";
            version = lib.concatStringsSep ", " known;
            spelt = prefix + default + suffix;
          };
      })
      [
        { prefix = "jdk"; kind = "jdk"; }
        { prefix = "openjdk"; kind = "jdk"; }
        { prefix = "jdk"; suffix = "_headless"; kind = "jdk-headless"; }
        { prefix = "openjdk"; suffix = "_headless"; kind = "jdk-headless"; }
        { prefix = "jre"; kind = "jre"; }
        { prefix = "jre"; suffix = "_headless"; kind = "headless"; }
        { prefix = "jre"; suffix = "_minimal"; kind = "headless"; }
        { prefix = "zulu"; kind = "jdk"; }
        { prefix = "temurin-bin-"; kind = "jdk"; }
        { prefix = "temurin-jre-bin-"; kind = "jre"; }
      ])
    ([ "8" "11" ] ++ map toString (lib.range 15 26)));

  # Programs of Java that Debian starts by a shell script: it is told where things are.
  tool = { name, package, program ? name, variables ? { } }:
    let unit = debian.package package; in
    pkgs.runCommandLocal "${name}-${unit.version}"
      {
        nativeBuildInputs = [ pkgs.makeWrapper ];
        passthru = { pname = name; inherit (unit) version; jdk = chosen.jdk-headless; };
        meta = unit.meta // { mainProgram = name; };
      }
      ''
        mkdir -p $out
        ln -s ${unit}/share $out/share
        makeWrapper ${unit}/${program} $out/bin/${name} --set-default JAVA_HOME ${chosen.jdk-headless.home} \
          --prefix PATH : ${lib.makeBinPath (with pkgs; [ coreutils gnused gnugrep ])} \
          ${lib.concatStringsSep " " (lib.mapAttrsToList (key: value: "--set-default ${key} ${unit}/${value}") variables)}
      '';
in
numbered // {
  jdk = chosen.jdk;
  jdk_headless = chosen.jdk-headless;
  openjdk = chosen.jdk;
  openjdk_headless = chosen.jdk-headless;
  jre = chosen.jre;
  jre_headless = chosen.headless;
  # Made smaller by jlink in nixpkgs: the same classes, and no window system.
  jre_minimal = lib.makeOverridable ({ modules ? [ ], jdk ? null }: chosen.headless) { };
  temurin-bin = chosen.jdk;
  temurin-jre-bin = chosen.jre;
  zulu = chosen.jdk;

  maven = tool { name = "mvn"; package = "maven"; program = "share/maven/bin/mvn"; variables.M2_HOME = "share/maven"; };
  ant = tool { name = "ant"; package = "ant"; program = "share/ant/bin/ant"; variables.ANT_HOME = "share/ant"; };
  gradle = throw ("gradle: Debian's is 4.4.1, whose libraries find each other below /usr alone; pkgs.maven, pkgs.ant and "
    + "javac (pkgs.jdk) work, or take the real nixpkgs (--nixpkgs PATH)");
}
