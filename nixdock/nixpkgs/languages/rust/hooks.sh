# The phases of a project of Rust: rustPlatform.buildRustPackage has this among its inputs.

# After unpacking: the crates stand beside the source, so that they can be patched.
cargoSetupPostUnpackHook() {
  if [ -n "${cargoDeps-}" ]; then
    cargoDepsCopy=$NIX_BUILD_TOP/$(stripHash "$cargoDeps")
    if [ -d "$cargoDeps" ]; then
      cp -r --reflink=auto --no-preserve=mode "$cargoDeps" "$cargoDepsCopy"
    else
      mkdir "$cargoDepsCopy"
      tar xf "$cargoDeps" -C "$cargoDepsCopy" --strip-components=1
    fi
  elif [ -n "${cargoVendorDir-}" ]; then
    cargoDepsCopy=$PWD/$sourceRoot/${cargoRoot:+$cargoRoot/}$cargoVendorDir
    if [ ! -d "$cargoDepsCopy" ]; then
      nixErrorLog "cargoVendorDir: the source has no folder $cargoVendorDir, which \`cargo vendor\` makes"
      exit 1
    fi
  fi
  export CARGO_HOME=$NIX_BUILD_TOP/cargo-home
  mkdir -p "$CARGO_HOME"
  if [ -n "${cargoDepsCopy-}" ]; then
    export cargoDepsCopy
    if [ -f "$cargoDepsCopy/.cargo/config" ]; then
      sed "s|@vendor@|$cargoDepsCopy|" "$cargoDepsCopy/.cargo/config" >"$CARGO_HOME/config.toml"
    else
      printf '[source.crates-io]\nreplace-with = "vendored-sources"\n\n[source.vendored-sources]\ndirectory = "%s"\n' \
        "$cargoDepsCopy" >"$CARGO_HOME/config.toml"
    fi
  fi
}

# After patches: the lock file is the one that the crates were fetched by, and one that this cargo reads.
cargoSetupPostPatchHook() {
  local lock=${cargoRoot:+$cargoRoot/}Cargo.lock fetched=${cargoDepsCopy-}/Cargo.lock
  if [ -n "${cargoDeps-}" ] && [ -f "$fetched" ]; then
    if [ ! -e "$lock" ]; then
      cp "$fetched" "$lock"
    elif ! cmp -s "$lock" "$fetched"; then
      diff -U3 "$lock" "$fetched" >&2 || true
      nixErrorLog "the source has another Cargo.lock than cargoDeps was made for: cargoHash (or cargoLock) is out of date"
      exit 1
    fi
  fi
  if [ -f "$lock" ] && grep -q '^version = 4$' "$lock" && ! cargo --version | grep -qE ' 1\.(7[89]|[89][0-9]|[0-9]{3})'; then
    # Versions 3 and 4 differ in how they write addresses that have odd characters.
    if [ -L "$lock" ]; then cp --remove-destination "$(realpath "$lock")" "$lock"; fi
    chmod +w "$lock"
    sed -i 's/^version = 4$/version = 3/' "$lock"
  fi
}

# A command of cargo, for the build or the check.
_cargo() {
  local command=$1 kind=$2
  shift 2
  local -a flags=(-j "$NIX_BUILD_CORES" --target @target@ --offline) features=()
  local type=cargo${kind}Type none=cargo${kind}NoDefaultFeatures
  case "${!type-}" in
    release | "") flags+=(--release) ;;
    debug) ;;
    *) flags+=(--profile "${!type}") ;;
  esac
  if [ -n "${!none-}" ]; then flags+=(--no-default-features); fi
  toArray features "cargo${kind}Features"
  if ((${#features[@]})); then flags+=("--features=$(IFS=,; echo "${features[*]}")"); fi
  (
    if [ -n "${buildAndTestSubdir-}" ]; then
      export CARGO_TARGET_DIR=$PWD/target
      cd "$buildAndTestSubdir"
    elif [ -n "${cargoRoot-}" ] && [ ! -f Cargo.toml ]; then
      export CARGO_TARGET_DIR=$PWD/target
      cd "$cargoRoot"
    fi
    cargo "$command" "${flags[@]}" "$@"
  )
}

cargoBuildHook() {
  runHook preBuild
  local -a flags=()
  _flagsOf flags cargoBuildFlags
  if ! _cargo build Build "${flags[@]}"; then
    nixErrorLog "cargo failed; it is $(cargo --version), and reads crates only from cargoDeps, cargoLock.lockFile," \
      "cargoVendorDir, or a folder that the source's .cargo/config.toml names"
    exit 1
  fi
  runHook postBuild
}

cargoCheckHook() {
  runHook preCheck
  local -a flags=() more=()
  _flagsOf flags cargoTestFlags
  _flagsOf more checkFlags
  if [ -n "${dontUseCargoParallelTests-}" ]; then more+=(--test-threads=1); fi
  _cargo test Check "${flags[@]}" -- "${more[@]}"
  runHook postCheck
}

cargoInstallHook() {
  runHook preInstall
  local type=${cargoBuildType:-release}
  releaseDir=target/@target@/$type
  local -a programs=() libraries=()
  mapfile -d '' -t programs < <(find "$releaseDir" -maxdepth 1 -type f -executable ! -name '*.so' ! -name '*.a' -print0)
  mapfile -d '' -t libraries < <(find "$releaseDir" -maxdepth 1 -type f \( -name '*.so' -o -name '*.a' \) -print0)
  if ((${#programs[@]})); then install -Dt "$out/bin" "${programs[@]}"; fi
  if ((${#libraries[@]})); then install -Dt "$out/lib" "${libraries[@]}"; fi
  mkdir -p "$out"
  runHook postInstall
}

postUnpackHooks+=(cargoSetupPostUnpackHook)
postPatchHooks+=(cargoSetupPostPatchHook)
if [ -z "${dontCargoBuild-}" ] && [ -z "${buildPhase-}" ]; then buildPhase=cargoBuildHook; fi
if [ -z "${dontCargoCheck-}" ] && [ -z "${checkPhase-}" ]; then checkPhase=cargoCheckHook; fi
if [ -z "${dontCargoInstall-}" ] && [ -z "${installPhase-}" ]; then installPhase=cargoInstallHook; fi
export PKG_CONFIG_ALLOW_CROSS=1
