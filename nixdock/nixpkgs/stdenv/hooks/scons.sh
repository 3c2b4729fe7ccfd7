# scons: builds and installs a project that has a SConstruct.
#
#   sconsFlags, sconsFlagsArray, buildFlags, installFlags, installTargets, prefixKey (prefix=),
#   dontUseSconsBuild, dontUseSconsInstall

_scons() {
  local -a flags=("-j$NIX_BUILD_CORES")
  if [ -z "${dontAddPrefix-}" ]; then
    flags+=("${prefixKey:-prefix=}$prefix")
  fi
  _flagsOf flags sconsFlags "$1"
  shift
  echoCmd 'scons flags' "${flags[@]}" "$@"
  scons "${flags[@]}" "$@"
}

sconsBuildPhase() {
  runHook preBuild
  _scons buildFlags
  runHook postBuild
}

sconsInstallPhase() {
  runHook preInstall
  local -a targets=()
  toArray targets installTargets
  mkdir -p "$prefix"
  _scons installFlags "${targets[@]:-install}"
  runHook postInstall
}

if [ -z "${dontUseSconsBuild-}" ] && [ -z "${buildPhase-}" ]; then
  buildPhase=sconsBuildPhase
fi
if [ -z "${dontUseSconsInstall-}" ] && [ -z "${installPhase-}" ]; then
  installPhase=sconsInstallPhase
fi
