# Ruby and its gems by their own names: `ruby.withPackages (ps: [ ps.sinatra ps.puma ])`.
{ lib, debian, pkgs }:

let
  unit = debian.package "ruby";

  # Gems that Debian calls otherwise; all others are ruby-<name>.
  called = {
    bundler = "bundler";
    pg = "ruby-pg";
    puma = "puma";
    rails = "ruby-rails";
    rake = "rake";
    sass = "ruby-sass";
    thin = "thin";
    unicorn = "unicorn";
  };
  gems = lib.listToAttrs
    (map (name: lib.nameValuePair (lib.removePrefix "ruby-" name) (debian.package name))
      (builtins.filter (lib.hasPrefix "ruby-") debian.names))
  // lib.mapAttrs (_: debian.package) (lib.filterAttrs (_: debian.has) called);

  # Programs that find these gems and what they need, whatever starts them.
  environment = chosen:
    let
      units = lib.remove "${unit}" (map toString (debian.closure (map (gem: gem.pname) (lib.flatten chosen))));
      env = pkgs.runCommandLocal "ruby-${unit.version}-env"
        {
          nativeBuildInputs = [ pkgs.makeWrapper ];
          passthru = { inherit (ruby) pname version gems; ruby = ruby; wrappedRuby = env; };
          meta = unit.meta // { mainProgram = "ruby"; };
        }
        ''
          mkdir -p $out/bin
          libraries= gems=
          for package in ${toString units}; do
            for folder in $package/lib/ruby/vendor_ruby $package/lib/*/ruby/vendor_ruby/*; do
              if [ -d $folder ]; then libraries=$libraries''${libraries:+:}$folder; fi
            done
            for folder in $package/share/rubygems-integration/* $package/lib/*/rubygems-integration/*; do
              if [ -d $folder ]; then gems=$gems''${gems:+:}$folder; fi
            done
          done
          for package in ${unit} ${toString (map toString (lib.flatten chosen))}; do
            for program in $package/bin/*; do
              name=''${program##*/}
              if [ -f $program ] && [ -x $program ] && [ ! -e $out/bin/$name ]; then
                makeWrapper $program $out/bin/$name --prefix RUBYLIB : "$libraries" \
                  --prefix GEM_PATH : "${unit}/share/rubygems-integration/all:$gems"
              fi
            done
          done
        '';
    in
    env;

  ruby = unit // {
    inherit gems;
    withPackages = choose: environment (choose gems);
    gemPath = "lib/ruby/gems/${lib.versions.majorMinor unit.version}.0";
    rubyEngine = "ruby";
    libPath = "lib/ruby/${lib.versions.majorMinor unit.version}.0";
    meta = unit.meta // { mainProgram = "ruby"; };
  };

  network = name: throw ("${name} fetches what Gemfile.lock names, which the offline package set cannot do; use "
    + "ruby.withPackages with Debian's gems, or the real nixpkgs (--nixpkgs PATH)");
in
{
  inherit ruby;
  rubyPackages = gems;
  bundler = environment [ gems.bundler ];
  bundlerEnv = _: network "bundlerEnv";
  bundlerApp = _: network "bundlerApp";
  buildRubyGem = _: network "buildRubyGem";
  defaultGemConfig = { };
}
