# 7z: unpacks archives of its own kind.
_unpack7z() {
  [[ "$1" == *.7z ]] || return 1
  7z x "$1" >/dev/null
}
unpackCmdHooks+=(_unpack7z)
