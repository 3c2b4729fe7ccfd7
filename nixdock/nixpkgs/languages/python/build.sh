# Builds a Python project as a wheel by its build back end, and installs that.

_pythonWheel() { python3 -B @wheel@ "$@"; }

pypaBuildPhase() {
  runHook preBuild
  if [ "${pythonFormat-}" = wheel ]; then
    echo "a wheel is built already"
  else
    _pythonWheel build "${pythonFormat-}"
  fi
  runHook postBuild
}

pypaInstallPhase() {
  runHook preInstall
  local -a relaxed=() removed=()
  toArray relaxed pythonRelaxDeps
  toArray removed pythonRemoveDeps
  _pythonWheel install "$out" @python@ "${relaxed[*]}" "${removed[*]}" dist/*.whl
  if [ -n "${doInstallCheck-}" ] || [ -n "${pythonImportsCheck-}" ]; then
    export PYTHONPATH="$out/@sitePackages@${PYTHONPATH:+:$PYTHONPATH}"
  fi
  runHook postInstall
}

_pythonUnpackWheel() {
  [[ "$1" == *.whl ]] || return 1
  mkdir -p source/dist
  cp -- "$1" "source/dist/$(stripHash "$1")"
}
unpackCmdHooks+=(_pythonUnpackWheel)

# Of a project of an own format the tests find what it has installed, too.
_pythonFindInstalled() {
  if [[ ":${PYTHONPATH-}:" != *":$out/@sitePackages@:"* ]]; then
    export PYTHONPATH="$out/@sitePackages@${PYTHONPATH:+:$PYTHONPATH}"
  fi
}
preInstallCheckHooks+=(_pythonFindInstalled)
preCheckHooks+=(_pythonFindInstalled)

if [ "${pythonFormat-other}" != other ]; then
  if [ -z "${buildPhase-}" ]; then buildPhase=pypaBuildPhase; fi
  if [ -z "${installPhase-}" ]; then installPhase=pypaInstallPhase; fi
  if [ -z "${configurePhase-}" ]; then configurePhase='runHook preConfigure; runHook postConfigure'; fi
fi
