# Several outputs: which of them holds what.

# chooseOutputs: outputDev, outputBin and so on are names of outputs; "${!outputDev}" is a path.
chooseOutputs() {
  _chooseOutput outputDev dev out
  _chooseOutput outputBin bin out
  _chooseOutput outputInclude "$outputDev"
  _chooseOutput outputLib lib out
  _chooseOutput outputDoc doc out
  _chooseOutput outputDevdoc devdoc REMOVE
  _chooseOutput outputMan man "$outputBin"
  _chooseOutput outputDevman devman devdoc "$outputMan"
  _chooseOutput outputInfo info "$outputBin"
  if [[ " ${outputNames[*]} " == *" out "* ]]; then defaultOutput=out; else defaultOutput=${outputNames[0]}; fi
}
_chooseOutput() {
  local variable=$1 name
  shift
  [ -z "${!variable-}" ] || return 0
  for name in "$@"; do
    if [ "$name" = REMOVE ] || [[ " ${outputNames[*]} " == *" $name "* ]]; then
      printf -v "$variable" '%s' "$name"
      return
    fi
  done
  printf -v "$variable" '%s' "${outputNames[0]}"
}

# What tells a configure script of them, as words in the array _flags.
_outputFlags() {
  if [ "${#outputNames[@]}" -lt 2 ] || [ -z "${setOutputFlags-1}" ]; then
    return 0
  fi
  local name=${shareDocName-${pname-}}
  _flags+=(
    "--bindir=${!outputBin}/bin" "--sbindir=${!outputBin}/sbin"
    "--includedir=${!outputInclude}/include" "--oldincludedir=${!outputInclude}/include"
    "--mandir=${!outputMan}/share/man" "--infodir=${!outputInfo}/share/info"
    "--docdir=${!outputDoc}/share/doc/${name:-package}"
    "--libdir=${!outputLib}/lib" "--libexecdir=${!outputLib}/libexec"
    "--localedir=${!outputLib}/share/locale"
  )
}
