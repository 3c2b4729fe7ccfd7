# autoPatchelf: programs that were built elsewhere are made to run from the store.
#
#   dontAutoPatchelf            only where autoPatchelf is called
#   autoPatchelfIgnoreMissingDeps   patterns of libraries that may be missing, or true
#   runtimeDependencies         packages whose libraries are loaded while the program runs
#   appendRunpaths              folders to add at the end

declare -ga autoPatchelfLibs=() _autoPatchelfExtra=()

_gatherLibraries() {
  local folder
  for folder in "$1/lib" "$1"/lib/*-linux-gnu* "$1/lib64"; do
    if [ -d "$folder" ]; then autoPatchelfLibs+=("$folder"); fi
  done
}
addEnvHooks "$targetOffset" _gatherLibraries

# Folders with libraries of which only the builder knows.
addAutoPatchelfSearchPath() {
  local folder
  while (($#)); do
    if [[ "$1" != --* ]]; then
      while IFS= read -r folder; do
        _autoPatchelfExtra+=("$folder")
      done < <(find "$1" -name '*.so*' -printf '%h\n' | sort -u)
    fi
    shift
  done
}

# Whether a program is for the same machine as the shell that asks: bytes 4 and 18 of the header.
_headOf() { LC_ALL=C od -An -tx1 -j4 -N1 "$1" && LC_ALL=C od -An -tx1 -j18 -N2 "$1"; }

# autoPatchelf [--no-recurse] [--ignore-missing PATTERN...] PATH...
autoPatchelf() {
  local -a paths=() ignored=() depth=() libraries=() missing=() own=() last=()
  local file needed name folder
  while (($#)); do
    case "$1" in
      --no-recurse) depth=(-maxdepth 1) ;;
      --) ;;
      *) paths+=("$1") ;;
    esac
    shift
  done
  toArray ignored autoPatchelfIgnoreMissingDeps
  if [ "${ignored[*]}" = 1 ] || [ "${ignored[*]}" = true ]; then ignored=('*'); fi
  toArray libraries fixupLibraries
  libraries+=(@libc@)
  local -a _gathered=("${autoPatchelfLibs[@]}") autoPatchelfLibs=()
  for folder in "${libraries[@]}"; do _gatherLibraries "$folder"; done
  libraries=("${_gathered[@]}" "${_autoPatchelfExtra[@]}" "${autoPatchelfLibs[@]}")
  autoPatchelfLibs=()
  toArray own runtimeDependencies
  for folder in "${own[@]}"; do _gatherLibraries "$folder"; done
  last=("${autoPatchelfLibs[@]}")
  toArray last appendRunpaths
  # What the outputs bring themselves is found first.
  mapfile -t own < <(for name in "${outputNames[@]}"; do
    [ ! -d "${!name}" ] || find "${!name}" \( -type f -o -type l \) -name '*.so*' -printf '%h\n'
  done | sort -u)

  local machine loader
  machine=$(_headOf "$(realpath "$SHELL")")
  loader=$(@patchelf@ --print-interpreter "$(realpath "$SHELL")")
  while IFS= read -r -d '' file; do
    isELF "$file" && [ "$(_headOf "$file")" = "$machine" ] || continue
    # What has no dynamic section needs nothing.
    needed=$(@patchelf@ --print-needed "$file" 2>/dev/null) || continue
    local -A found=()
    local -a runpath=()
    if @patchelf@ --print-interpreter "$file" >/dev/null 2>&1; then
      echo "setting interpreter of $file"
      @patchelf@ --set-interpreter "$loader" "$file"
      runpath+=("${last[@]}")
    fi
    for name in $needed; do
      if [[ "$name" == */* ]]; then continue; fi
      for folder in "${own[@]}" "${libraries[@]}" ''; do
        if [ -n "$folder" ] && [ -e "$folder/$name" ]; then break; fi
      done
      if [ -n "$folder" ]; then
        # A link into another package leads to where its own libraries are.
        folder=$(realpath "$folder/$name")
        folder=${folder%/*}
        [ -n "${found[$folder]-}" ] || runpath=("$folder" "${runpath[@]}")
        found[$folder]=1
      elif [[ "$name" == ld-linux* ]] || _autoPatchelfIgnores "$name"; then
        echo "$name, which $file wants, is not found, and ignored"
      else
        missing+=("$name wanted by $file")
      fi
    done
    @patchelf@ --set-rpath "$(IFS=:; echo "${runpath[*]}")" "$file"
  done < <(find "${paths[@]}" "${depth[@]}" -type f -print0)
  if ((${#missing[@]})); then
    printf 'error: auto-patchelf could not satisfy dependency %s\n' "${missing[@]}" >&2
    nixErrorLog "add the packages that have these libraries to buildInputs, or their names to autoPatchelfIgnoreMissingDeps"
    exit 1
  fi
}
_autoPatchelfIgnores() {
  local pattern
  for pattern in "${ignored[@]}"; do
    if [[ "$1" == $pattern ]]; then return 0; fi
  done
  return 1
}

autoPatchelfPostFixup() {
  if [ -z "${dontAutoPatchelf-}" ]; then
    local output
    local -a outputPaths=()
    for output in "${outputNames[@]}"; do
      if [ -e "${!output}" ]; then outputPaths+=("${!output}"); fi
    done
    autoPatchelf -- "${outputPaths[@]}"
  fi
}
postFixupHooks+=(autoPatchelfPostFixup)
