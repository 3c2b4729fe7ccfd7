# The phases that fetch what a module of Go needs: the only ones that have a network.

configurePhase() {
  if [ -n "${modConfigurePhase-}" ]; then
    eval "$modConfigurePhase"
    return
  fi
  runHook preConfigure
  export HOME=$TMPDIR GOPATH=$TMPDIR/go-path GOCACHE=$TMPDIR/go-cache
  cd "$modRoot"
  runHook postConfigure
}

buildPhase() {
  if [ -n "${modBuildPhase-}" ]; then
    eval "$modBuildPhase"
    return
  fi
  runHook preBuild
  if [ -n "${deleteVendor-}" ]; then
    rm -rf vendor
  elif [ -d vendor ]; then
    nixErrorLog "the source has its vendor folder: set \`vendorHash = null\`, or deleteVendor to fetch it nevertheless"
    exit 10
  fi
  local -a command=(mod vendor)
  if [ -n "${proxyVendor-}" ]; then command=(mod download); fi
  if ! go "${command[@]}"; then
    nixErrorLog "\`go ${command[*]}\` failed: without a network keep the vendor folder that it makes in the source, and" \
      "set \`vendorHash = null\`"
    exit 1
  fi
  mkdir -p vendor
  runHook postBuild
}

installPhase() {
  if [ -n "${modInstallPhase-}" ]; then
    eval "$modInstallPhase"
    return
  fi
  runHook preInstall
  if [ -n "${proxyVendor-}" ]; then
    rm -rf "$GOPATH/pkg/mod/cache/download/sumdb"
    cp -r --reflink=auto "$GOPATH/pkg/mod/cache/download" "$out"
  else
    cp -r --reflink=auto vendor "$out"
  fi
  if [ -z "$(ls -A "$out")" ]; then
    nixErrorLog "the module needs no others: set \`vendorHash = null\`"
    exit 10
  fi
  runHook postInstall
}
