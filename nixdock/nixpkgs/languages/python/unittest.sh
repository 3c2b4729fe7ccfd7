# Runs the tests that unittest discovers on what is installed.
unittestCheckPhase() {
  runHook preCheck
  local -a flags=()
  toArray flags unittestFlags unittestFlagsArray
  echoCmd 'unittest flags' "${flags[@]}"
  python3 -m unittest discover "${flags[@]}"
  runHook postCheck
}
if [ -z "${dontUseUnittestCheck-}" ] && [ -z "${installCheckPhase-}" ]; then
  installCheckPhase=unittestCheckPhase
  checkPhase=${checkPhase-unittestCheckPhase}
fi
