# versionCheck: the program that was installed says its version. dontVersionCheck, versionCheckProgram,
# versionCheckProgramArg (--help, then --version), versionCheckKeepEnvironment.
versionCheckHook() {
  runHook preVersionCheck
  local program=${versionCheckProgram-} word said
  local -a words=() environment=(-i)
  toArray words versionCheckProgramArg
  if [ "${versionCheckKeepEnvironment-}" = '*' ]; then environment=(); fi
  if [ -z "$program" ]; then program=${!outputBin}/bin/${NIX_MAIN_PROGRAM:-${pname-}}; fi
  if [ ! -x "$program" ]; then
    nixErrorLog "versionCheckHook: $program is not an executable program; set meta.mainProgram or versionCheckProgram"
    exit 2
  fi
  if ((${#words[@]} == 0)); then words=(--help --version); fi
  for word in "${words[@]}"; do
    said=$(env "${environment[@]}" "$program" "$word" 2>&1) || true
    if [[ "$said" == *"$version"* ]]; then
      echo "versionCheckHook: $program $word says $version"
      runHook postVersionCheck
      return 0
    fi
  done
  nixErrorLog "versionCheckHook: version $version is not in what $program says of ${words[*]}: $said"
  exit 2
}
if [ -z "${dontVersionCheck-}" ]; then
  preInstallCheckHooks+=(versionCheckHook)
fi
