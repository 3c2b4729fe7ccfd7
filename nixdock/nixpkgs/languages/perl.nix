# Perl and its modules under their nixpkgs names: `perl.withPackages (p: [ p.JSON p.DBI ])`.
{ lib, debian, pkgs }:

let
  unit = debian.package "perl";
  table = import ./perl/names.nix;
  words = text: builtins.filter (word: builtins.isString word && word != "") (builtins.split "[ \n]+" text);

  # What is left of a name where only letters and digits count: httpdaemon.
  plain = name: lib.toLower (lib.replaceStrings [ "-" "_" "." ] [ "" "" "" ] name);
  byName = lib.listToAttrs (map (name: lib.nameValuePair (plain (lib.removeSuffix "-perl" (lib.removePrefix "lib" name))) name)
    (builtins.filter (name: lib.hasPrefix "lib" name && lib.hasSuffix "-perl" name) debian.names));

  module = name: debian.package name // { perlModule = perl; };
  modules = lib.genAttrs (words table.core) (_: perl // { perlModule = perl; })
    // lib.genAttrs (words table.regular) (name:
    if byName ? ${plain name} then module byName.${plain name} else throw "Debian has no Perl module '${name}'")
    // lib.mapAttrs (_: module) table.called;

  # The store paths of modules and of all that they need.
  required = packages:
    let
      flat = builtins.filter (package: package != null) (lib.flatten packages);
      own = builtins.filter (package: package ? requiredPerlModules) flat;
      debs = builtins.filter (package: !(package ? requiredPerlModules)) flat;
    in
    lib.unique (own ++ lib.concatMap (package: package.requiredPerlModules) own
      ++ map (package: "${package}") debs
      ++ lib.remove "${unit}" (map toString (debian.modules "perl" (map (package: package.debianName)
      (builtins.filter (package: debian.has (package.debianName or "")) debs)))));

  # Shell text: the folders of modules in these, as one search path.
  searchPath = packages: ''
    path=
    for package in ${toString packages}; do
      for folder in $package/lib/perl5/site_perl $package/share/perl5 $package/lib/*/perl5/*; do
        if [ -d $folder ]; then path=$path''${path:+:}$folder; fi
      done
    done
  '';

  environment = packages:
    let
      all = required packages;
      env = pkgs.runCommandLocal "perl-${unit.version}-env"
        {
          nativeBuildInputs = [ pkgs.makeWrapper ];
          passthru = { inherit (perl) pname version pkgs perlPackages libPrefix; perl = env; interpreter = "${env}/bin/perl"; };
          meta = unit.meta // { mainProgram = "perl"; };
        }
        ''
          mkdir -p $out/bin
          ${searchPath all}
          for package in ${unit} ${toString all}; do
            for program in $package/bin/*; do
              name=''${program##*/}
              if [ -f $program ] && [ -x $program ] && [ ! -e $out/bin/$name ]; then
                makeWrapper $program $out/bin/$name --inherit-argv0 --prefix PERL5LIB : "$path"
              fi
            done
          done
        '';
    in
    env;

  buildPerlPackage = args:
    let
      dependencies = args.propagatedBuildInputs or [ ] ++ args.buildInputs or [ ];
      modules = required dependencies;
    in
    pkgs.stdenv.mkDerivation (removeAttrs args [ "buildInputs" "passthru" ] // {
      nativeBuildInputs = [ perl ] ++ args.nativeBuildInputs or [ ];
      doCheck = args.doCheck or true;
      checkTarget = "test";
      PERL_AUTOINSTALL = "--skipdeps";
      PERL_USE_UNSAFE_INC = "1";
      # Modules that are written in C want the headers that Perl was built with.
      configurePhase = args.configurePhase or ''
        runHook preConfigure
        ${searchPath modules}
        export PERL5LIB=$path''${path:+:}$PERL5LIB
        perl Makefile.PL PREFIX=$out INSTALLDIRS=site INSTALLSITELIB=$out/lib/perl5/site_perl INSTALLSITEARCH=$out/lib/perl5/site_perl \
          INSTALLSITEBIN=$out/bin INSTALLSITESCRIPT=$out/bin INSTALLSITEMAN1DIR=none INSTALLSITEMAN3DIR=none $makeMakerFlags
        runHook postConfigure
      '';
      # Its scripts find its modules and those that it needs.
      postFixup = ''
        rm -f $(find $out/lib -name perllocal.pod -o -name .packlist)
        ${searchPath ([ "$out" ] ++ modules)}
        for program in $out/bin/*; do
          if [ -f $program ] && head -n 1 $program | grep -q '^#!.*perl'; then
            # MakeMaker has found the wrong one of the two programs of `env perl`.
            sed -i "1s|^#!.*/env perl|#!${unit}/bin/perl|" $program
            sed -i "1a use lib split /:/, '$path';" $program
          fi
        done
      '' + args.postFixup or "";
      passthru = { perlModule = perl; requiredPerlModules = modules; } // args.passthru or { };
    });

  packages = modules // {
    inherit perl buildPerlPackage;
    buildPerlModule = _: throw "buildPerlModule (Build.PL) is not in the offline package set; buildPerlPackage builds what has a Makefile.PL";
    makePerlPath = list: lib.concatMapStringsSep ":" (one: "${one}/share/perl5:${one}/lib/perl5/site_perl") (required list);
    makeFullPerlPath = packages.makePerlPath;
    requiredPerlModules = required;
    toPerlModule = drv: drv // { perlModule = perl; requiredPerlModules = [ ]; };
    hasPerlModule = drv: drv ? perlModule;
  };

  perl = unit // {
    pkgs = packages;
    perlPackages = packages;
    withPackages = choose: environment (choose packages);
    buildEnv = lib.makeOverridable ({ extraLibs ? [ ], ... }: environment extraLibs) { };
    libPrefix = "lib/perl5/site_perl";
    interpreter = "${unit}/bin/perl";
  };
in
{
  inherit perl;
  perlPackages = packages;
}
