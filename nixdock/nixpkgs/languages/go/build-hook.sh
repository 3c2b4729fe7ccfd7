# The phases of a module of Go: buildGoModule has this among its inputs.

configurePhase() {
  runHook preConfigure
  export HOME=$TMPDIR GOPATH=${GOPATH:-$TMPDIR/go-path} GOCACHE=$TMPDIR/go-cache GOPROXY=off GOSUMDB=off
  # What is compiled already is linked, what is not comes to stand beside it.
  cp -rs --no-preserve=mode "$goLibrary" "$GOCACHE"
  cd "$modRoot"
  _goVersion
  if [ -n "${proxyVendor-}" ]; then
    export GOPROXY=file://$goModules
  elif [ -n "${goModules-}" ]; then
    rm -rf vendor
    cp -r --reflink=auto --no-preserve=mode "$goModules" vendor
  elif [ ! -e vendor/modules.txt ] && [ -s go.sum ]; then
    nixErrorLog "the module needs others (go.sum), and the source has no vendor folder, as \`vendorHash = null\` says;" \
      "run \`go mod vendor\` and keep that folder in the source, or give the vendorHash where there is a network"
    exit 1
  fi
  runHook postConfigure
}

# Go before 1.21 does not read `go 1.21.0` and `toolchain`; what they mean to it is `go 1.21`.
_goVersion() {
  local here asked
  [ -f go.mod ] || return 0
  here=$(go env GOVERSION)
  here=${here#go1.}
  here=${here%%[!0-9]*}
  asked=$(sed -nE 's/^go 1\.([0-9]+).*/\1/p' go.mod)
  if [ "${asked:-0}" -gt "$here" ]; then
    echo "go.mod asks for Go 1.$asked, and this is Go 1.$here: it builds what does without newer features" >&2
    if [ "$here" -lt 21 ]; then
      sed -i -E -e 's/^(go 1\.[0-9]+)(\.|rc)[0-9]+/\1/' -e '/^toolchain /d' go.mod
    fi
  fi
}

# The folders of packages: of all, or (with _test) of those with tests.
getGoDirs() {
  local kind=$1 one
  local -a excluded=()
  if [ -n "${subPackages-}" ]; then
    local -a folders=()
    toArray folders subPackages
    for one in "${folders[@]}"; do printf './%s\n' "${one#./}"; done
    return
  fi
  toArray excluded excludedPackages
  local pattern='(/_|examples|Godeps|testdata|^\./vendor/'
  for one in "${excluded[@]}"; do pattern+="|$one"; done
  find . -type f -name "*$kind.go" -printf '%h/\n' | sort -u | grep -vE "$pattern)" | sed 's|/$||' || true
}

# Runs a command of go on folders, with the flags of the build.
buildGoDir() {
  local command=$1
  shift
  local -a flags=()
  _flagsOf flags buildFlags
  if [ -n "${tags-}" ]; then
    local -a words=()
    toArray words tags
    flags+=("-tags=$(IFS=,; echo "${words[*]}")")
  fi
  if [ -n "${ldflags-}" ]; then
    local -a words=()
    toArray words ldflags
    flags+=("-ldflags=${words[*]}")
  fi
  go "$command" "${flags[@]}" -v -p "$NIX_BUILD_CORES" "$@"
}

# Of folders on standard input those that go has something to do in, by a field of `go list`: not those whose files
# are all for other systems, nor modules of their own.
_goPackages() {
  local -a folders=()
  mapfile -t folders
  ((${#folders[@]})) || return 0
  go list -e ${tags:+-tags="$(tr -s ' ' , <<<"$tags")"} -f "{{if or $1}}{{.ImportPath}}{{end}}" "${folders[@]}"
}

buildPhase() {
  runHook preBuild
  if [[ " ${ldflags[*]-} " != *" -buildid="* ]]; then
    appendToVar ldflags -buildid=
  fi
  # Go's own linker knows the loader and the C library by their places on other systems only.
  if [ -n "${goLoader-}" ] && [[ " ${ldflags[*]-} " != *"-linkmode"* ]]; then
    local loader
    loader=$(echo $goLoader)
    appendToVar ldflags "-I=$loader" "-r=${loader%/*}"
  fi
  local -a packages=()
  if [ -n "${subPackages-}" ]; then
    mapfile -t packages < <(getGoDirs "")
  else
    mapfile -t packages < <(getGoDirs "" | _goPackages ".GoFiles .CgoFiles .SwigFiles")
  fi
  if ((${#packages[@]} == 0)); then
    nixErrorLog "there is no package of Go to build in $modRoot of the source"
    exit 1
  fi
  buildGoDir install "${packages[@]}"
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  # Tests may look for their source by the names that this leaves out.
  export GOFLAGS=${GOFLAGS//-trimpath/}
  local -a packages=() flags=()
  _flagsOf flags checkFlags
  mapfile -t packages < <(getGoDirs _test | _goPackages ".TestGoFiles .XTestGoFiles")
  # What vet has to say of a source is no reason against it, and it would read all of Go's own library first.
  if ((${#packages[@]})); then buildGoDir test -vet=off "${flags[@]}" "${packages[@]}"; fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  mkdir -p "$out"
  if [ -d "$GOPATH/bin" ]; then cp -r "$GOPATH/bin" "$out"; fi
  runHook postInstall
}
