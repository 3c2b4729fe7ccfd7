# Runs pytest on what is installed.
pytestCheckPhase() {
  runHook preCheck
  local -a flags=(-m pytest) names=()
  local name
  toArray names disabledTests
  if ((${#names[@]})); then
    local expression=
    for name in "${names[@]}"; do expression+="${expression:+ and }not ($name)"; done
    flags+=(-k "$expression")
  fi
  names=()
  toArray names disabledTestMarks
  if ((${#names[@]})); then
    local marks=
    for name in "${names[@]}"; do marks+="${marks:+ and }not ($name)"; done
    flags+=(-m "$marks")
  fi
  names=()
  toArray names disabledTestPaths
  for name in "${names[@]}"; do
    if [[ "$name" == *::* ]]; then
      flags+=("--deselect=$name")
    else
      flags+=("--ignore-glob=$name")
    fi
  done
  toArray flags pytestFlags pytestFlagsArray enabledTests enabledTestPaths
  echoCmd 'pytest flags' "${flags[@]}"
  eval "python3 $(_pytestWords "${flags[@]}")"
  runHook postCheck
}
# Flags of older expressions are shell text, with quotes in them.
_pytestWords() {
  local word
  for word in "$@"; do
    if [[ "$word" == *[\"\']* ]]; then printf '%s ' "$word"; else printf '%q ' "$word"; fi
  done
}
if [ -z "${dontUsePytestCheck-}" ] && [ -z "${installCheckPhase-}" ]; then
  installCheckPhase=pytestCheckPhase
  checkPhase=${checkPhase-pytestCheckPhase}
fi
