# Setup hooks: functions for the phases of those who have them among their inputs.
{ lib, pkgs }:

let
  hook = { name, script, substitutions ? { }, propagatedBuildInputs ? [ ], meta ? { } }:
    pkgs.runCommandLocal name ({ inherit propagatedBuildInputs meta; } // substitutions) ''
      mkdir -p $out/nix-support
      cp ${script} $out/nix-support/setup-hook
      chmod +w $out/nix-support/setup-hook
      ${lib.concatStrings (lib.mapAttrsToList
        (key: value: "substituteInPlace $out/nix-support/setup-hook --replace-fail '@${key}@' ${lib.escapeShellArg value}\n")
        substitutions)}
      if [ -n "$propagatedBuildInputs" ]; then
        echo "$propagatedBuildInputs" > $out/nix-support/propagated-build-inputs
      fi
    '';
in
{
  makeSetupHook = { name ? "hook", propagatedBuildInputs ? [ ], substitutions ? { }, meta ? { }, passthru ? { }, ... }: script:
    hook { inherit name script substitutions propagatedBuildInputs meta; } // passthru;

  makeWrapper = hook {
    name = "make-wrapper-hook";
    script = ./make-wrapper.sh;
    substitutions.shell = pkgs.runtimeShell;
  };
  makeShellWrapper = pkgs.makeWrapper;
  makeBinaryWrapper = pkgs.makeWrapper;
  installShellFiles = hook { name = "install-shell-files"; script = ./install-shell-files.sh; };
}
