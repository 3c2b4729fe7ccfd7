# wrapPythonPrograms: the Python programs in `bin` find the modules of this output, of what it propagates and of
# `pythonPath`, and get the arguments of `makeWrapperArgs` if there are any.

_wrapPython() { @wrap@ "$@"; }

buildPythonPath() { program_PYTHONPATH=$*; }

wrapPythonPrograms() {
  local -a paths=()
  toArray paths pythonPath
  wrapPythonProgramsIn "$out/bin" "$out ${paths[*]}"
}

# wrapPythonProgramsIn FOLDER PATHS
wrapPythonProgramsIn() {
  local folder=$1 words
  shift
  local -a inputs=() arguments=()
  toArray inputs propagatedBuildInputs
  toArray arguments makeWrapperArgs
  if declare -p makeWrapperArgsArray >/dev/null 2>&1; then arguments+=("${makeWrapperArgsArray[@]}"); fi
  # Programs that it calls come along; a project that propagates none needs no wrapper.
  local -a called=()
  for words in "${inputs[@]}"; do
    if [ -d "$words/bin" ] && [ ! -e "$words/nix-support/propagated-build-inputs" ] && [ "$words" != @python@ ]; then
      called+=("$words/bin")
    fi
  done
  if ((${#called[@]})); then
    arguments=(--prefix PATH : "$(IFS=: && echo "${called[*]}")" "${arguments[@]}")
  fi
  # shellcheck disable=SC2048,SC2086 # lists of paths
  _wrapPython "$out" @python@ "${pythonBuildEnvironment-}" "$folder" "${#arguments[@]}" $* "${inputs[@]}"
  if ((${#arguments[@]})) && [ -d "$folder" ]; then
    local program
    while IFS= read -r -d '' program; do
      echo "wrapping $program"
      wrapProgram "$program" "${arguments[@]}"
    done < <(find "$folder" -type f -perm -0100 -not -name '.*' -print0)
  fi
}
