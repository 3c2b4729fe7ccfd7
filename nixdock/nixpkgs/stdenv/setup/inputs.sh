# Inputs: what is on the PATH, what the compiler finds, and which setup hooks run.

declare -ga envBuildBuildHooks=() envBuildHostHooks=() envHostHostHooks=() envHostTargetHooks=()
declare -gA _seenInputs=()
declare -ga pkgsBuildHost=() pkgsHostTarget=()

# Hooks call this to be told of every input: addEnvHooks OFFSET FUNCTION...
addEnvHooks() {
  shift
  envHostTargetHooks+=("$@")
}

# An input, after what it propagates. LIST is the array that it goes into.
addInput() {
  local input=$1 list=$2
  [ -z "${_seenInputs[$list:$input]-}" ] || return 0
  _seenInputs[$list:$input]=1
  if [ ! -e "$input" ]; then
    nixErrorLog "build input $input does not exist"
    exit 1
  fi
  local -n _list=$list
  _list+=("$input")
  unset -n _list
  local file next
  for file in propagated-build-inputs propagated-native-build-inputs; do
    if [ -f "$input/nix-support/$file" ]; then
      read -ra next -d '' <"$input/nix-support/$file" || true
      local one
      for one in "${next[@]}"; do
        addInput "$one" "$list"
      done
    fi
  done
}

# What an input brings, whichever kind it is.
useInput() {
  local input=$1
  if [ -f "$input" ]; then
    # An input that is a file is a hook itself.
    source "$input"
    return
  fi
  addToSearchPath PATH "$input/bin"
  if [ -f "$input/nix-support/setup-hook" ]; then
    source "$input/nix-support/setup-hook"
  fi
}

# What the compiler and its friends find of an input.
useLibraries() {
  local input=$1 folder
  if [ -d "$input/include" ]; then
    export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE-} -isystem $input/include"
  fi
  for folder in "$input/lib64" "$input/lib"; do
    if [ -d "$folder" ] && [ ! -L "$folder" ]; then
      export NIX_LDFLAGS="${NIX_LDFLAGS-} -L$folder"
    fi
  done
  addToSearchPath PKG_CONFIG_PATH "$input/lib/pkgconfig"
  addToSearchPath PKG_CONFIG_PATH "$input/share/pkgconfig"
  addToSearchPath CMAKE_PREFIX_PATH "$input"
  addToSearchPath XDG_DATA_DIRS "$input/share"
  for folder in "$input"/lib/python3*/site-packages "$input"/lib/python3/dist-packages; do
    addToSearchPath PYTHONPATH "$folder"
  done
  addToSearchPath PERL5LIB "$input/lib/perl5/site_perl"
}

findInputs() {
  local -a native=() host=()
  toArray native nativeBuildInputs propagatedNativeBuildInputs defaultNativeBuildInputs
  toArray host buildInputs propagatedBuildInputs
  if [ -n "${doCheck-}" ]; then
    toArray native nativeCheckInputs
    toArray host checkInputs
  fi
  local input hook
  for input in "${native[@]}"; do addInput "$input" pkgsBuildHost; done
  for input in "${host[@]}"; do addInput "$input" pkgsHostTarget; done
  for input in "${pkgsBuildHost[@]}" "${pkgsHostTarget[@]}"; do useInput "$input"; done
  for input in "${pkgsHostTarget[@]}"; do
    if [ -d "$input" ]; then useLibraries "$input"; fi
  done
  for input in "${pkgsBuildHost[@]}"; do
    if [ -d "$input" ]; then
      local folder
      for folder in "$input"/lib/python3*/site-packages "$input"/lib/python3/dist-packages; do
        addToSearchPath PYTHONPATH "$folder"
      done
      addToSearchPath PKG_CONFIG_PATH "$input/lib/pkgconfig"
      addToSearchPath PKG_CONFIG_PATH "$input/share/pkgconfig"
    fi
  done
  for hook in "${envHostTargetHooks[@]}"; do
    for input in "${pkgsBuildHost[@]}" "${pkgsHostTarget[@]}"; do
      "$hook" "$input"
    done
  done
}
