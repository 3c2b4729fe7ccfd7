# After the installation: what makes the outputs small, and right to be run from the store.

# patchShebangs [--build|--host|--update] PATH...: scripts name the interpreter of this build.
patchShebangs() {
  local -a paths=()
  while (($#)); do
    case "$1" in
      --build | --host | --update) ;;
      --) ;;
      *) paths+=("$1") ;;
    esac
    shift
  done
  local file
  while IFS= read -r -d '' file; do
    _patchShebang "$file"
  done < <(find "${paths[@]}" -type f -perm -0100 -print0)
}
_patchShebang() {
  local file=$1 line interpreter argument program new stamp
  [ "$(head -c 2 <"$file")" = '#!' ] || return 0
  read -r line <"$file" || [ -n "$line" ] || return 0
  read -r interpreter argument <<<"${line#\#!}"
  [[ "$interpreter" != "$NIX_STORE"/* ]] || return 0
  if [ "${interpreter##*/}" = env ]; then
    local split=
    if [[ "$argument" == "-S "* ]]; then
      split="-S "
      argument=${argument#-S }
    fi
    read -r program argument <<<"$argument"
    if [[ "$program" == *=* || "$program" == -* ]]; then
      nixErrorLog "$file: cannot patch the interpreter line '$line'"
      exit 1
    fi
    new=$(type -P "$program" || true)
    if [ -n "$split" ] && [ -n "$new" ]; then
      argument="$program $argument"
      new="$(type -P env) -S $new"
      argument=${argument#* }
    fi
  else
    new=$(type -P "${interpreter##*/}" || true)
  fi
  [ -n "$new" ] || return 0
  new="$new${argument:+ $argument}"
  [ "#!$new" != "$line" ] || return 0
  echo "$file: interpreter directive changed from \"${line#\#!}\" to \"$new\""
  stamp=$(stat --printf '%y' "$file")
  chmod u+w "$file"
  sed -i -e "1 s|.*|#\!${new//|/\\|}|" "$file"
  touch --date "$stamp" "$file"
}

# Symbols for a debugger are not worth the references that they hold.
_stripOutput() {
  local root=$1 folder strip
  strip=$(type -P "${STRIP:-strip}" || true)
  if [ -z "$strip" ] || [ -n "${dontStrip-}" ]; then
    return 0
  fi
  local -a folders=()
  for folder in lib lib32 lib64 libexec bin sbin; do
    if [ -d "$root/$folder" ]; then folders+=("$root/$folder"); fi
  done
  ((${#folders[@]})) || return 0
  local file start
  while IFS= read -r -d '' file; do
    start=$(LC_ALL=C head -c 7 "$file" | tr -d '\0')
    if [[ "$start" == $'\x7fELF'* || "$start" == '!<arch>' ]]; then
      "$strip" -S -p "$file" 2>/dev/null || true
    fi
  done < <(find "${folders[@]}" -type f -print0)
}

# Programs and libraries name the loader and the folders of what they need, and no others.
_patchPrograms() {
  local root=$1
  if [ -n "${dontPatchELF-}" ] || [ -z "${fixupCommand-}" ]; then
    return 0
  fi
  local -a libraries=() others=()
  local name
  toArray libraries fixupLibraries
  for name in "${outputNames[@]}"; do
    if [ -d "${!name}" ] && [ "${!name}" != "$root" ]; then others+=("${!name}"); fi
  done
  eval "$fixupCommand" '"$root"' '"${libraries[@]}"' '"${others[@]}"' '"${pkgsHostTarget[@]}"'
}

# moveToOutput PATTERN OUTPUT: moves what matches in any other output there.
moveToOutput() {
  local pattern=$1 target=$2 name root file
  for name in "${outputNames[@]}"; do
    root=${!name}
    [ -n "$target" ] && [ "$root" != "$target" ] || continue
    for file in "$root"/$pattern; do
      [ -e "$file" ] || [ -L "$file" ] || continue
      mkdir -p "$target/$(dirname -- "${file#"$root"/}")"
      mv -- "$file" "$target/${file#"$root"/}"
      rmdir --ignore-fail-on-non-empty -p -- "$(dirname -- "$file")" 2>/dev/null || true
    done
  done
}

_splitOutputs() {
  if [ "${#outputNames[@]}" -lt 2 ] || [ -n "${dontMoveOutputs-}" ]; then
    return 0
  fi
  if [ -n "${dev-}" ]; then
    moveToOutput include "$dev"
    moveToOutput lib/pkgconfig "$dev"
    moveToOutput share/pkgconfig "$dev"
    moveToOutput lib/cmake "$dev"
    moveToOutput share/aclocal "$dev"
  fi
  [ -z "${doc-}" ] || moveToOutput share/doc "$doc"
  [ -z "${man-}" ] || moveToOutput share/man "$man"
  [ -z "${info-}" ] || moveToOutput share/info "$info"
}

# What users of an output need too is written where their builds look for it.
_recordPropagated() {
  local target=${dev:-$out}
  local -a inputs=()
  toArray inputs propagatedBuildInputs
  if ((${#inputs[@]})); then
    mkdir -p "$target/nix-support"
    printf '%s ' "${inputs[@]}" >"$target/nix-support/propagated-build-inputs"
  fi
  inputs=()
  toArray inputs propagatedNativeBuildInputs
  if ((${#inputs[@]})); then
    mkdir -p "$target/nix-support"
    printf '%s ' "${inputs[@]}" >"$target/nix-support/propagated-native-build-inputs"
  fi
  if [ -n "${setupHook-}" ]; then
    mkdir -p "$target/nix-support"
    substituteAll "$setupHook" "$target/nix-support/setup-hook"
  fi
}

fixupPhase() {
  local output root
  for output in "${outputNames[@]}"; do
    if [ -e "${!output}" ]; then chmod -R u+w,u-s,g-s -- "${!output}"; fi
  done
  runHook preFixup
  _splitOutputs
  for output in "${outputNames[@]}"; do
    root=${!output}
    [ -d "$root" ] || continue
    _stripOutput "$root"
    if [ -z "${dontPatchShebangs-}" ]; then
      patchShebangs "$root"
    fi
    _patchPrograms "$root"
    prefix=$root runHook fixupOutput
    # Programs of the administrator are on the same PATH.
    if [ -d "$root/sbin" ] && [ ! -L "$root/sbin" ] && [ -z "${dontMoveSbin-}" ]; then
      mkdir -p "$root/bin"
      mv -- "$root"/sbin/* "$root/bin"
      rmdir "$root/sbin"
      ln -s bin "$root/sbin"
    fi
  done
  _recordPropagated
  runHook postFixup
}
