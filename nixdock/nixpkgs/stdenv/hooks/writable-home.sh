# writableTmpDirAsHome: programs that want a home have one.
if [ -z "${IN_NIX_SHELL-}" ] && [ ! -w "${HOME-}" ]; then
  export HOME=$NIX_BUILD_TOP/.home
  mkdir -p "$HOME"
fi
