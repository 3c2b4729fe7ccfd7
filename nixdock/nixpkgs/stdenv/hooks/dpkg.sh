# dpkg: unpacks packages of Debian; what they install is in the folder it is called in.
_unpackDeb() {
  [[ "$1" == *.deb ]] || return 1
  # Owners and the setuid bit are nobody's in a build.
  dpkg-deb --fsys-tarfile "$1" | tar x --no-same-owner --no-same-permissions
}
unpackCmdHooks+=(_unpackDeb)
