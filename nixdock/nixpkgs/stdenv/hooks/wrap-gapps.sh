# wrapGApps: programs find the schemas and data of their inputs. gappsWrapperArgs, dontWrapGApps.
gappsWrapperArgs=()
_gappsInput() {
  if [ -d "$1/share/glib-2.0/schemas" ]; then
    gappsWrapperArgs+=(--prefix XDG_DATA_DIRS : "$1/share")
  fi
  if [ -d "$1/lib/girepository-1.0" ]; then
    gappsWrapperArgs+=(--prefix GI_TYPELIB_PATH : "$1/lib/girepository-1.0")
  fi
}
addEnvHooks "$targetOffset" _gappsInput

wrapGApp() {
  local program=$1
  shift
  wrapProgram "$program" "${gappsWrapperArgs[@]}" "$@"
}
wrapGAppsHook() {
  [ -z "${dontWrapGApps-}" ] || return 0
  gappsWrapperArgs+=(--prefix XDG_DATA_DIRS : "$prefix/share")
  local file
  for file in "$prefix"/bin/* "$prefix"/libexec/*; do
    if [ -f "$file" ] && [ ! -L "$file" ] && [ -x "$file" ]; then
      wrapGApp "$file"
    fi
  done
}
fixupOutputHooks+=(wrapGAppsHook)
