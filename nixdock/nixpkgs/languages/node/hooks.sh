# The phases of a project of npm: buildNpmPackage has this among its inputs.

# Words that every command of npm has.
_npm() {
  local command=$1
  shift
  local -a flags=()
  if [ -n "${npmWorkspace-}" ]; then flags+=("--workspace=$npmWorkspace"); fi
  _flagsOf flags "$@" npmFlags
  local -a words=()
  read -ra words <<<"$command"
  npm "${words[@]}" "${flags[@]}"
}

# After patches: node_modules of what was fetched.
npmConfigHook() {
  echo "Executing npmConfigHook"
  export HOME=$TMPDIR npm_config_cache=$TMPDIR/npm-cache npm_config_offline=true npm_config_progress=false
  export npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
  if [ -n "${npmRoot-}" ]; then pushd "$npmRoot" >/dev/null; fi
  local needs
  needs=$(node -p 'const p = JSON.parse(require("fs").readFileSync("package.json"));
    Object.keys({ ...p.dependencies, ...p.devDependencies, ...p.optionalDependencies }).length + (p.workspaces ? 1 : 0)')
  if [ -n "${npmDeps-}" ]; then
    if [ ! -d "$npmDeps" ]; then
      nixErrorLog "npmDeps ($npmDeps) is not a folder; it is what fetchNpmDeps or importNpmLock gives, or has node_modules"
      exit 1
    fi
    if [ -d "$npmDeps/node_modules" ]; then
      rm -rf node_modules
      cp -r --reflink=auto --no-preserve=ownership "$npmDeps/node_modules" node_modules
      chmod -R u+w node_modules
    else
      _npmInstall
    fi
  elif [ -d node_modules ]; then
    echo "node_modules of the source is taken as it is"
  elif [ "$needs" != 0 ]; then
    if [ -f package-lock.json ] && ! grep -qE '"resolved": *"[a-z+]+:' package-lock.json; then
      _npmInstall
    else
      nixErrorLog "package.json needs others: give npmDepsHash (lib.fakeHash at first) where there is a network," \
        "npmDeps = importNpmLock { npmRoot = ./.; }, or keep node_modules in the source"
      exit 1
    fi
  fi
  if [ -d node_modules ]; then
    patchShebangs node_modules
    if [ -z "${dontNpmRebuild-}" ]; then
      _npm "rebuild" npmRebuildFlags
      patchShebangs node_modules
    fi
  fi
  if [ -n "${npmRoot-}" ]; then popd >/dev/null; fi
}

_npmInstall() {
  local lock=package-lock.json
  if [ -f npm-shrinkwrap.json ] && [ ! -f "$lock" ]; then lock=npm-shrinkwrap.json; fi
  if [ -n "${npmDeps-}" ]; then
    if [ ! -f "$lock" ] && [ -f "$npmDeps/package-lock.json" ]; then
      cp --no-preserve=mode "$npmDeps/package-lock.json" "$lock"
    elif [ -f "$npmDeps/package-lock.json" ] && ! cmp -s "$lock" "$npmDeps/package-lock.json" && [ -z "${forceEmptyCache-}" ] \
      && [ ! -f "$npmDeps/package.json" ]; then
      nixErrorLog "npmDeps was made for another package-lock.json: npmDepsHash is out of date; set it to lib.fakeHash and" \
        "build to be told the right one"
      diff -U3 "$lock" "$npmDeps/package-lock.json" >&2 || true
      exit 1
    fi
    mkdir -p "$npm_config_cache"
    # npm writes to its cache while it reads.
    cp -r --reflink=auto --no-preserve=mode "$npmDeps"/. "$npm_config_cache"
  fi
  local -a flags=()
  _flagsOf flags npmInstallFlags npmFlags
  if ! npm ci --ignore-scripts "${flags[@]}"; then
    nixErrorLog "npm could not install what package-lock.json names from npmDeps; packages that are in neither the" \
      "cache nor the lock file cannot be had in a build"
    exit 1
  fi
}

npmBuildHook() {
  runHook preBuild
  local script=${npmBuildScript:-build}
  if ! node -e 'const p = JSON.parse(require("fs").readFileSync("package.json")); process.exit(process.argv[1] in (p.scripts || {}) ? 0 : 1)' \
    "$script" && [ -z "${npmWorkspace-}" ]; then
    nixErrorLog "package.json has no script \`$script\`: set npmBuildScript to another, or dontNpmBuild = true if there is nothing to build"
    exit 1
  fi
  _npm "run $script" npmBuildFlags
  runHook postBuild
}

npmInstallHook() {
  runHook preInstall
  local folder name file target source=${npmWorkspace:-.}
  local -a wrapper=()
  _npm "pack --json --dry-run --ignore-scripts --loglevel=error" npmPackFlags >"$TMPDIR/npm-pack.json"
  {
    read -r folder
    toArray wrapper makeWrapperArgs
    while IFS=$'\t' read -r name file; do
      chmod +x "$file"
      makeWrapper @node@ "$out/bin/$name" --add-flags "$file" "${wrapper[@]}"
    done
  } < <(node @installer@ "$source" "$out" <"$TMPDIR/npm-pack.json")
  [ -n "$folder" ] || exit 1

  if [ -d node_modules ] && [ ! -d "$folder/node_modules" ]; then
    if [ -z "${dontNpmPrune-}" ]; then
      _npm "prune --omit=dev --no-save" npmPruneFlags
    fi
    # Other parts of the source are copied, where npm has links to them.
    while IFS= read -r -d '' file; do
      target=$(realpath -m "$file")
      if [ "$target" = "$PWD/${npmWorkspace:+${npmWorkspace#./}}" ] || [ ! -e "$target" ]; then
        rm "$file"
      elif [[ "$target" == "$PWD"/* && "$target" != "$PWD"/node_modules/* ]]; then
        rm "$file"
        cp -r "$target" "$file"
      fi
    done < <(find node_modules -type l -not -path '*/.bin/*' -print0)
    find node_modules -xtype l -delete
    find node_modules -depth -type d -empty -delete
    if [ -d node_modules ]; then
      cp -r --reflink=auto node_modules "$folder/node_modules"
    fi
  fi
  runHook postInstall
}

postPatchHooks+=(npmConfigHook)
if [ -z "${dontNpmBuild-}" ] && [ -z "${buildPhase-}" ]; then buildPhase=npmBuildHook; fi
if [ -z "${dontNpmInstall-}" ] && [ -z "${installPhase-}" ]; then installPhase=npmInstallHook; fi
