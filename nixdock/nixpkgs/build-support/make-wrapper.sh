# makeWrapper EXECUTABLE WRAPPER OPTIONS: a script that sets something up and then becomes a program.
#
#   --argv0 NAME            the name that the program is called by
#   --inherit-argv0         the name that the wrapper was called by
#   --resolve-argv0         the wrapper's own path, where it was called by its plain name
#   --set VAR VALUE         --set-default VAR VALUE     --unset VAR
#   --chdir FOLDER          --run COMMAND
#   --add-flag WORD         --append-flag WORD          one argument, before or after the caller's
#   --add-flags TEXT        --append-flags TEXT         shell words
#   --prefix VAR SEP VALUE  --suffix VAR SEP VALUE      an entry of a list, moved to its place if it is there
#   --prefix-each VAR SEP VALUES   --suffix-each VAR SEP VALUES
#   --prefix-contents VAR SEP FILES   --suffix-contents VAR SEP FILES

makeShellWrapper() {
  local original=$1 wrapper=$2
  shift 2
  if [ ! -f "$original" ] || [ ! -x "$original" ]; then
    nixErrorLog "makeWrapper: $original is not an executable file"
    exit 1
  fi
  local name='' value separator one argv0='' before='' after='' inherit=''
  mkdir -p "$(dirname -- "$wrapper")"
  {
    echo "#! @shell@ -e"
    while (($#)); do
      case "$1" in
        --set)
          printf 'export %s=%q\n' "$2" "$3"
          shift 3
          ;;
        --set-default)
          printf 'export %s=${%s-%q}\n' "$2" "$2" "$3"
          shift 3
          ;;
        --unset)
          printf 'unset %s\n' "$2"
          shift 2
          ;;
        --chdir)
          printf 'cd %q\n' "$2"
          shift 2
          ;;
        --run)
          printf '%s\n' "$2"
          shift 2
          ;;
        --prefix | --suffix | --prefix-each | --suffix-each | --prefix-contents | --suffix-contents)
          name=$2 separator=$3
          case "$1" in
            *-each) for one in $4; do _wrapperList "${1%-each}" "$name" "$separator" "$one"; done ;;
            *-contents) for one in $4; do _wrapperList "${1%-contents}" "$name" "$separator" "$(cat "$one")"; done ;;
            *) _wrapperList "$1" "$name" "$separator" "$4" ;;
          esac
          shift 4
          ;;
        --add-flag)
          before+=" $(printf '%q' "$2")"
          shift 2
          ;;
        --append-flag)
          after+=" $(printf '%q' "$2")"
          shift 2
          ;;
        --add-flags)
          before+=" $2"
          shift 2
          ;;
        --append-flags)
          after+=" $2"
          shift 2
          ;;
        --argv0)
          argv0=$2
          shift 2
          ;;
        --inherit-argv0)
          inherit=1
          shift
          ;;
        --resolve-argv0)
          echo 'if [[ "$0" != */* ]]; then _name=$(type -P "$0"); else _name=$0; fi'
          argv0='"$_name"'
          shift
          ;;
        *)
          nixErrorLog "makeWrapper: there is no option '$1'"
          exit 1
          ;;
      esac
    done
    if [ -n "$inherit" ]; then argv0='"$0"'; fi
    echo "exec ${argv0:+-a $argv0 }\"$original\" $before \"\$@\" $after"
  } >"$wrapper"
  chmod +x "$wrapper"
}

# An entry goes to the front or the end of a list, and is in it once.
_wrapperList() {
  local side=$1 name=$2 separator=$3 value=$4 inside=$3$4$3
  printf '%s=${%s:+%q$%s%q}\n' "$name" "$name" "$separator" "$name" "$separator"
  # In quotes, as a slash would end what is looked for.
  printf '%s=${%s//%s/%s}\n' "$name" "$name" "${inside@Q}" "${separator@Q}"
  printf '%s=${%s#%q}\n' "$name" "$name" "$separator"
  printf '%s=${%s%%%q}\n' "$name" "$name" "$separator"
  if [ "$side" = --prefix ]; then
    printf '%s=%q${%s:+%q$%s}\n' "$name" "$value" "$name" "$separator" "$name"
  else
    printf '%s=${%s:+$%s%q}%q\n' "$name" "$name" "$name" "$separator" "$value"
  fi
  printf 'export %s\n' "$name"
}

makeWrapper() { makeShellWrapper "$@"; }
makeBinaryWrapper() { makeShellWrapper "$@"; }

# wrapProgram PROGRAM OPTIONS: the program moves aside, and its place is the wrapper's.
wrapProgramShell() {
  local program=$1 hidden
  shift
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then
    nixErrorLog "wrapProgram: $program is not an executable file"
    exit 1
  fi
  hidden="$(dirname -- "$program")/.$(basename -- "$program")-wrapped"
  while [ -e "$hidden" ]; do
    hidden="${hidden}_"
  done
  mv -- "$program" "$hidden"
  makeShellWrapper "$hidden" "$program" --inherit-argv0 "$@"
}
wrapProgram() { wrapProgramShell "$@"; }
wrapProgramBinary() { wrapProgramShell "$@"; }
