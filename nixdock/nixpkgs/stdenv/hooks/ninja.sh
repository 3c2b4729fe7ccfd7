# ninja: builds, checks and installs what cmake or meson has configured for it.
#
#   ninjaFlags, ninjaFlagsArray, buildFlags, checkFlags, installFlags, installTargets,
#   dontUseNinjaBuild, dontUseNinjaCheck, dontUseNinjaInstall

_ninja() {
  local -a flags=("-j$NIX_BUILD_CORES")
  _flagsOf flags ninjaFlags "$1"
  shift
  echoCmd 'ninja flags' "${flags[@]}" "$@"
  TERM=dumb ninja "${flags[@]}" "$@"
}

ninjaBuildPhase() {
  runHook preBuild
  _ninja buildFlags
  runHook postBuild
}

ninjaCheckPhase() {
  runHook preCheck
  if [ -z "${checkTarget-}" ] && ninja -t query test >/dev/null 2>&1; then
    checkTarget=test
  fi
  if [ -z "${checkTarget-}" ]; then
    echo "no test target in build.ninja, doing nothing"
  else
    _ninja checkFlags $checkTarget
  fi
  runHook postCheck
}

ninjaInstallPhase() {
  runHook preInstall
  local -a targets=()
  toArray targets installTargets
  _ninja installFlags "${targets[@]:-install}"
  runHook postInstall
}

if [ -z "${dontUseNinjaBuild-}" ] && [ -z "${buildPhase-}" ]; then
  buildPhase=ninjaBuildPhase
fi
if [ -z "${dontUseNinjaCheck-}" ] && [ -z "${checkPhase-}" ]; then
  checkPhase=ninjaCheckPhase
fi
if [ -z "${dontUseNinjaInstall-}" ] && [ -z "${installPhase-}" ]; then
  installPhase=ninjaInstallPhase
fi
