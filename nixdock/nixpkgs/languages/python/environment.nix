# python3.buildEnv.override { extraLibs = [ … ]; }: a Python with modules, as one store path.
{ lib, pkgs, python, environment, flatten }:

{ extraLibs ? [ ]
, extraOutputsToInstall ? [ ]
, postBuild ? ""
, ignoreCollisions ? false
, permitUserSite ? false
, makeWrapperArgs ? [ ]
, ...
}:

let
  name = "python3-${python.version}-env";
  plain = environment name (flatten extraLibs);

  # A copy of its links that something more is done to. The prefix stays that of the original.
  changed = pkgs.runCommandLocal name { inherit postBuild makeWrapperArgs; nativeBuildInputs = [ pkgs.makeWrapper ]; } ''
    cp -r --no-dereference --preserve=mode,links ${plain} $out
    chmod -R u+w $out
    wrapperArgs=()
    toArray wrapperArgs makeWrapperArgs
    if ((''${#wrapperArgs[@]})); then
      for program in ${plain}/bin/*; do
        rm $out/bin/''${program##*/}
        makeWrapper $program $out/bin/''${program##*/} --inherit-argv0 "''${wrapperArgs[@]}"
      done
    fi
    eval "$postBuild"
  '';
  made = if postBuild == "" && makeWrapperArgs == [ ] then plain else changed;
in
made // {
  pname = "python3";
  inherit name python;
  inherit (python) version pkgs pythonVersion sitePackages libPrefix executable withPackages;
  interpreter = "${made}/bin/python3";
  meta = python.meta // { mainProgram = "python3"; };
  # For nix-shell: the environment alone.
  env = pkgs.mkShellNoCC { name = "interactive-${name}"; packages = [ made ]; };
}
