# Setup hooks: functions for the phases of those who have them among their inputs.
{ lib, pkgs }:

let
  hook = { name, script, substitutions ? { }, propagatedBuildInputs ? [ ], propagatedNativeBuildInputs ? [ ], meta ? { }, passthru ? { } }:
    pkgs.runCommandLocal name { inherit propagatedBuildInputs propagatedNativeBuildInputs meta passthru; } ''
      mkdir -p $out/nix-support
      substitute ${script} $out/nix-support/setup-hook ${lib.concatStringsSep " " (lib.mapAttrsToList
        (key: value: "--subst-var-by ${lib.escapeShellArgs [ key "${toString value}" ]}")
        substitutions)}
      if [ -n "$propagatedBuildInputs" ]; then
        echo "$propagatedBuildInputs" > $out/nix-support/propagated-build-inputs
      fi
      if [ -n "$propagatedNativeBuildInputs" ]; then
        echo "$propagatedNativeBuildInputs" > $out/nix-support/propagated-native-build-inputs
      fi
    '';
in
{
  makeSetupHook =
    { name ? "hook"
    , propagatedBuildInputs ? [ ]
    , propagatedNativeBuildInputs ? [ ]
    , depsTargetTargetPropagated ? [ ]
    , substitutions ? { }
    , meta ? { }
    , passthru ? { }
    , ...
    }: script:
    hook {
      inherit name script substitutions propagatedNativeBuildInputs meta passthru;
      propagatedBuildInputs = propagatedBuildInputs ++ depsTargetTargetPropagated;
    };

  makeWrapper = hook {
    name = "make-wrapper-hook";
    script = ./make-wrapper.sh;
    substitutions.shell = pkgs.runtimeShell;
  };
  makeShellWrapper = pkgs.makeWrapper;
  makeBinaryWrapper = pkgs.makeWrapper;
  installShellFiles = hook { name = "install-shell-files"; script = ./install-shell-files.sh; };
}
