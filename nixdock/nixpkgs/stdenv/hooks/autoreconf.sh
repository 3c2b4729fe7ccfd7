# autoreconf: makes `configure` of configure.ac before the configure phase. autoreconfFlags, dontAutoreconf.
autoreconfPhase() {
  runHook preAutoreconf
  if [ -z "${dontAutoreconf-}" ]; then
    local -a flags=()
    toArray flags autoreconfFlags
    autoreconf "${flags[@]:---install}" --force --verbose
  fi
  runHook postAutoreconf
}
appendToVar preConfigurePhases autoreconfPhase
