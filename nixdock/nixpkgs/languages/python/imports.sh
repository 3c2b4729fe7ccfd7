# Imports the modules that `pythonImportsCheck` names.
pythonImportsCheckPhase() {
  local -a names=()
  toArray names pythonImportsCheck
  if ((${#names[@]})); then
    echo "importing ${names[*]}"
    (
      cd "$out"
      PYTHONPATH="$out/@sitePackages@${PYTHONPATH:+:$PYTHONPATH}" python3 -B -c \
        'import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]' "${names[@]}"
    )
  fi
}
if [ -z "${dontUsePythonImportsCheck-}" ]; then
  preDistPhases+=" pythonImportsCheckPhase"
fi
