# Tests of packages: derivations that are built where what they say is true.
{ lib, pkgs }:

let
  needsMachine = name: throw
    "testers.${name} starts a virtual machine, which the offline package set cannot; check an image with `nixdock check`, or use the real nixpkgs (--nixpkgs PATH)";

  self = {
    # Two files or trees are alike.
    testEqualContents = { assertion, actual, expected, checkMetadata ? null, postFailureMessage ? null }:
      pkgs.runCommandLocal "equal-contents-${lib.strings.sanitizeDerivationName assertion}"
        { inherit assertion actual expected postFailureMessage; } ''
        echo "Checking:"
        echo "$assertion"
        if ! diff -U5 -r "$expected" "$actual"; then
          echo
          echo 'Contents must be equal, but were not!'
          echo "+: expected,   at $expected"
          echo "-: unexpected, at $actual"
          if [ -n "$postFailureMessage" ]; then echo "$postFailureMessage"; fi
          exit 1
        fi
        touch $out
      '';

    # Two derivations are the same one: evaluated, not built.
    testEqualDerivation = assertion: a: b:
      if a.drvPath == b.drvPath then pkgs.emptyFile
      else
        pkgs.runCommandLocal "equal-derivation-failed"
          {
            inherit assertion;
            a = builtins.unsafeDiscardStringContext a.drvPath;
            b = builtins.unsafeDiscardStringContext b.drvPath;
          } ''
          echo "$assertion"
          echo "However, the derivations differ: $a"
          echo "                                 $b"
          exit 1
        '';

    # The build fails; $out/testBuildFailure.log is what it said, $out/testBuildFailure.exit its status.
    testBuildFailure = drv:
      let
        changes = made: {
          args = [ ./expect-failure.sh "${pkgs.coreutils}/bin" made.builder ] ++ made.args or [ ];
        };
      in
      if drv ? overrideAttrs then
        drv.overrideAttrs (_: { realBuilder = pkgs.runtimeShell; } // changes drv.drvAttrs)
      else derivation (drv.drvAttrs // { builder = pkgs.runtimeShell; } // changes drv.drvAttrs);
    testBuildFailure' =
      { drv
      , name ? "testBuildFailure-${drv.name}"
      , expectedBuilderExitCode ? 1
      , expectedBuilderLogEntries ? [ ]
      , script ? ""
      }:
      pkgs.runCommandLocal name
        {
          failed = self.testBuildFailure drv;
          expected = expectedBuilderExitCode;
          entries = lib.concatStringsSep "\n" expectedBuilderLogEntries;
        } ''
        status=$(cat $failed/testBuildFailure.exit)
        if [ "$status" != "$expected" ]; then
          echo "the builder ended with $status, not with $expected" >&2
          exit 1
        fi
        while IFS= read -r entry; do
          if ! grep -qF -- "$entry" $failed/testBuildFailure.log; then
            echo "the builder's log does not say: $entry" >&2
            exit 1
          fi
        done <<<"$entries"
        ${script}
        touch $out
      '';

    # What the program says of its version names the package's.
    testVersion =
      { package
      , command ? "${package.meta.mainProgram or package.pname or (lib.getName package)} --version"
      , version ? package.version
      }:
      pkgs.runCommand "${package.name}-test-version"
        { nativeBuildInputs = [ package ]; inherit version; meta.timeout = 60; } ''
        # A version in the program's own store path does not count.
        if output=$(${command} 2>&1 | sed 's|${builtins.storeDir}/[^ ]*||g') && grep -Fw -- "$version" - <<<"$output"; then
          touch $out
        else
          echo "Version string '$version' not found!" >&2
          echo "The output was:" >&2
          echo "$output" >&2
          exit 1
        fi
      '';

    # A fetcher's result with the fetcher itself in its name, so that it is fetched again when that changes.
    invalidateFetcherByDrvHash = f: args:
      let
        plain = (f args).drvPath;
        salt = builtins.unsafeDiscardStringContext (builtins.substring 0 12 (baseNameOf plain));
        salted = f (args // { name = "${args.name or "source"}-salted-${salt}"; });
      in
      if salted.drvPath == plain then
        throw "invalidateFetcherByDrvHash: Adding the derivation hash to the fixed-output derivation name had no effect. The fetcher must make its argument `name` the name of the derivation."
      else salted;

    # A command that may use the network; its output, empty by default, is known beforehand.
    runCommand = { name, script, hash ? "sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY=", ... }@args:
      pkgs.stdenvNoCC.mkDerivation (removeAttrs args [ "script" "hash" ] // {
        buildCommand = script;
        passAsFile = [ "buildCommand" ];
        outputHash = hash;
        outputHashAlgo = if hash == "" then "sha256" else null;
        outputHashMode = "recursive";
      });

    # pkg-config finds the modules that a package brings.
    hasPkgConfigModules =
      { package
      , moduleNames ? package.meta.pkgConfigModules
      , version ? package.version or null
      , versionCheck ? false
      }:
      pkgs.runCommand "check-pkg-config-${package.pname or package.name}"
        {
          nativeBuildInputs = [ pkgs.pkg-config ];
          buildInputs = [ package ];
          inherit version;
          modules = moduleNames;
        } ''
        for module in $modules; do
          if ! found=$(pkg-config --modversion "$module" 2>&1); then
            echo "❌ pkg-config module $module was not found: $found" >&2
            exit 1
          fi
          echo "✅ pkg-config module $module exists at version $found"
          ${lib.optionalString versionCheck ''
            if [ "$found" != "$version" ]; then
              echo "❌ it was expected at version $version" >&2
              exit 1
            fi
          ''}
        done
        touch $out
      '';
    hasPkgConfigModule = { moduleName, ... }@args:
      self.hasPkgConfigModules (removeAttrs args [ "moduleName" ] // { moduleNames = [ moduleName ]; });

    # Every shell script of a file or folder is as shellcheck, or shfmt, wants it.
    shellcheck = { src, name ? null }: self.onScripts "shellcheck" (if name == null then "shellcheck" else "shellcheck-${name}") src ''
      find -L "$src" -type f -print0 | xargs -0 ${import ./shellcheck.nix { inherit pkgs; }}
    '';
    shfmt = { src, name ? null, indent ? 2 }: self.onScripts "shfmt" (if name == null then "shfmt" else "shfmt-${name}") src
      "${pkgs.buildPackages.debian.shfmt}/bin/shfmt --diff --indent ${toString indent} --simplify \"$src\"";
    onScripts = _tool: name: src: command: pkgs.runCommandLocal name { inherit src; } ''
      ${command}
      touch $out
    '';

    nixosTest = needsMachine "nixosTest";
    runNixOSTest = needsMachine "runNixOSTest";
  };
in
removeAttrs self [ "onScripts" ]
