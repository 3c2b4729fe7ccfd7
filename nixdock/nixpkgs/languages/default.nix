# The stage of languages: their programs, their modules, and how projects in them are built from source.
{ lib, debian, builder }:

final: prev:

let
  go = import ./go.nix { inherit lib debian; pkgs = final; };
  node = import ./node.nix { inherit lib debian; pkgs = final; };
  rust = import ./rust.nix { inherit lib debian; pkgs = final; };

  # What projects of Node.js are also built with.
  npmInstead = "use buildNpmPackage, with a package-lock.json or with node_modules in the source, or the real nixpkgs (--nixpkgs PATH)";
  refused = what: names: lib.genAttrs names (name: throw "${name}: ${what}; ${npmInstead}");
  named = lib.mergeAttrsList (map (file: import file { inherit lib debian; pkgs = final; }) [
    ./java.nix
    ./lua.nix
    ./perl.nix
    ./php.nix
    ./ruby.nix
  ]);
in
named // {
  inherit (go) go buildGoModule buildGoPackage;
  inherit (node) nodejs nodejs-slim nodePackages nodePackages_latest yarn buildNpmPackage fetchNpmDeps importNpmLock npmHooks;
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
