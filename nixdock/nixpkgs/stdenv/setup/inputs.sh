# Inputs: what is on the PATH, what the compiler finds, and which setup hooks run.

declare -ga envBuildBuildHooks=() envBuildHostHooks=() envHostHostHooks=() envHostTargetHooks=()
declare -gA _seenInputs=()
declare -ga pkgsBuildHost=() pkgsHostTarget=()

# Hooks call this to be told of every input: addEnvHooks OFFSET FUNCTION...
addEnvHooks() {
  shift
  envHostTargetHooks+=("$@")
}

# An input, and what it propagates. LIST is the array that it goes into.
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
  local file next one
  for file in propagated-build-inputs propagated-native-build-inputs; do
    if [ -f "$input/nix-support/$file" ]; then
      read -ra next -d '' <"$input/nix-support/$file" || true
      if [ $file = propagated-native-build-inputs ]; then list=pkgsBuildHost; fi
      for one in "${next[@]}"; do
        addInput "$one" "$list"
      done
    fi
  done
}

# What an input brings, whichever kind it is. Its hook may tell by hostOffset and targetOffset which that is.
useInput() {
  local hostOffset=$2 targetOffset=$3
  if [ -f "$1" ]; then
    # An input that is a file is a hook itself.
    source "$1"
    return
  fi
  addToSearchPath PATH "$1/bin"
  if [ -f "$1/nix-support/setup-hook" ]; then
    source "$1/nix-support/setup-hook"
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
}

# What tools find of an input, whichever kind it is.
useData() {
  local input=$1 folder
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
  toArray native depsBuildBuild depsBuildTarget
  toArray host depsHostHost depsTargetTarget
  if [ -n "${doCheck-}" ]; then
    toArray native nativeCheckInputs
    toArray host checkInputs
  fi
  if [ -n "${doInstallCheck-}" ]; then
    toArray native nativeInstallCheckInputs
    toArray host installCheckInputs
  fi
  local _input _hook
  for _input in "${native[@]}"; do addInput "$_input" pkgsBuildHost; done
  for _input in "${host[@]}"; do addInput "$_input" pkgsHostTarget; done
  for _input in "${pkgsBuildHost[@]}"; do useInput "$_input" -1 0; done
  for _input in "${pkgsHostTarget[@]}"; do useInput "$_input" 0 1; done
  # Without strictDeps it does not matter which list a library is in.
  local -a _with=("${pkgsHostTarget[@]}")
  if [ -z "${strictDeps-}" ]; then _with+=("${pkgsBuildHost[@]}"); fi
  for _input in "${_with[@]}"; do
    if [ -d "$_input" ]; then useLibraries "$_input"; fi
  done
  for _input in "${pkgsHostTarget[@]}" "${pkgsBuildHost[@]}"; do
    if [ -d "$_input" ]; then useData "$_input"; fi
  done
  for _hook in "${envHostTargetHooks[@]}"; do
    for _input in "${pkgsBuildHost[@]}" "${pkgsHostTarget[@]}"; do
      "$_hook" "$_input"
    done
  done
}
