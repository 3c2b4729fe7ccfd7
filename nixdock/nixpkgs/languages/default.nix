# The stage of languages: their programs, their modules, and how projects in them are built from source.
{ lib, debian, builder }:

final: prev:

let
  call = file: import file { inherit lib debian; pkgs = final; };

  # Each is read when something of it is asked for; the names of Java's versions are its own.
  go = call ./go.nix;
  lua = call ./lua.nix;
  node = call ./node.nix;
  perl = call ./perl.nix;
  php = call ./php.nix;
  ruby = call ./ruby.nix;
  rust = call ./rust.nix;

  # What projects of Node.js are also built with.
  npmInstead = "use buildNpmPackage, with a package-lock.json or with node_modules in the source, or the real nixpkgs (--nixpkgs PATH)";
  refused = what: names: lib.genAttrs names (name: throw "${name}: ${what}; ${npmInstead}");
in
call ./java.nix // {
  inherit (go) go buildGoModule buildGoPackage;
  inherit (lua)
    lua lua5 lua5_1 lua5_2 lua5_3 lua5_4 luajit luaPackages lua51Packages lua52Packages lua53Packages lua54Packages
    luajitPackages;
  inherit (node) nodejs nodejs-slim nodePackages nodePackages_latest yarn buildNpmPackage fetchNpmDeps importNpmLock npmHooks;
  inherit (perl) perl perlPackages;
  inherit (php) php phpPackages phpExtensions;
  inherit (ruby) ruby rubyPackages bundler bundlerEnv bundlerApp buildRubyGem defaultGemConfig;
  inherit (rust) rustc cargo rustfmt clippy rustPlatform makeRustPlatform rust rustPackages;

  python3 = import ./python.nix { inherit lib debian builder; pkgs = final; };
  python3Packages = final.python3.pkgs;
  python = throw "python is Python 2, which Debian has no more: use pkgs.python3";
  python2 = throw "python2: Debian has no Python 2 any more; use pkgs.python3";
  python27 = final.python2;
  python2Packages = final.python2;
  python27Packages = final.python2;
  pythonPackages = throw "pythonPackages are those of Python 2, which Debian has no more: use pkgs.python3Packages";
  # What overlays add to all Pythons' modules: functions `final: prev: { }`.
  pythonPackagesExtensions = [ ];
}
// refused "the offline package set makes no mirror for yarn, though pkgs.yarn is there" [
  "mkYarnPackage" "mkYarnModules" "fetchYarnDeps" "yarnConfigHook" "yarnBuildHook" "yarnInstallHook" "fixup-yarn-lock"
  "yarn2nix"
]
// refused "no release of Debian has pnpm" [ "pnpm_8" "pnpm_9" "pnpm_10" "fetchPnpmDeps" "pnpmConfigHook" "pnpmBuildHook" ]
// refused "it fetches yarn and pnpm from a registry when it is run" [ "corepack" ]
// refused "it makes expressions that fetch from npm's registry one by one" [ "node2nix" ]
// refused "no release of Debian has it; pkgs.nodejs is there" [ "bun" "deno" "buildDenoPackage" ]
// {
  prefetch-npm-deps = throw "prefetch-npm-deps: build once with npmDepsHash = lib.fakeHash, which says the right hash";
}
