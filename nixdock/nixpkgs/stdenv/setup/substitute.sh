# Replacing text in files.

# substituteStream VARIABLE DESCRIPTION (--replace|--replace-fail|--replace-warn|--replace-quiet FROM TO
#   | --subst-var NAME | --subst-var-by NAME TEXT)...
substituteStream() {
  local variable=$1 description=$2
  shift 2
  local from to mode
  while (($#)); do
    mode=warn
    case "$1" in
      --replace | --replace-warn | --replace-fail | --replace-quiet)
        if (($# < 3)); then
          nixErrorLog "substitute: $1 needs two texts"
          return 1
        fi
        case "$1" in
          --replace-fail) mode=fail ;;
          --replace-quiet) mode=quiet ;;
        esac
        from=$2 to=$3
        shift 3
        ;;
      --subst-var)
        from="@$2@" mode=quiet
        if [[ ! "$2" =~ ^[a-zA-Z_][a-zA-Z0-9_]*$ ]]; then
          nixErrorLog "substitute: '$2' is not a name of a variable"
          return 1
        fi
        if [ -z "${!2+x}" ]; then
          nixErrorLog "substitute: there is no variable '$2'"
          return 1
        fi
        to=${!2}
        shift 2
        ;;
      --subst-var-by)
        from="@$2@" to=$3 mode=quiet
        shift 3
        ;;
      *)
        nixErrorLog "substitute: there is no option '$1'"
        return 1
        ;;
    esac
    if [[ "${!variable}" != *"$from"* ]]; then
      case $mode in
        fail)
          nixErrorLog "substitute: '$from' is not in $description"
          return 1
          ;;
        warn) nixWarnLog "substitute: '$from' is not in $description" ;;
      esac
    fi
    printf -v "$variable" '%s' "${!variable//"$from"/"$to"}"
  done
}

# Text with final newlines, which $() would drop; shell variables hold no zero bytes.
_readWhole() {
  local content
  IFS='' read -r -d '' content <"$1" || true
  printf -v "$2" '%s' "$content"
}

substitute() {
  local input=$1 output=$2 _text
  shift 2
  if [ ! -f "$input" ]; then
    nixErrorLog "substitute: there is no file '$input'"
    return 1
  fi
  _readWhole "$input" _text
  substituteStream _text "file '$input'" "$@" || return 1
  if [ -e "$output" ]; then
    chmod +w "$output"
  fi
  printf '%s' "$_text" >"$output"
}

substituteInPlace() {
  local -a files=()
  while (($#)) && [[ "$1" != --* ]]; do
    files+=("$1")
    shift
  done
  local file
  for file in "${files[@]}"; do
    substitute "$file" "$file" "$@" || return 1
  done
}

# Every variable of lower case first letter, as @name@.
_allSubstitutions() {
  local name
  for name in $(compgen -A export | grep '^[a-z][a-zA-Z0-9_]*$'); do
    _substitutions+=(--subst-var "$name")
  done
}
substituteAll() {
  local -a _substitutions=()
  _allSubstitutions
  substitute "$1" "$2" "${_substitutions[@]}"
}
substituteAllInPlace() {
  local file=$1
  substituteAll "$file" "$file"
}
