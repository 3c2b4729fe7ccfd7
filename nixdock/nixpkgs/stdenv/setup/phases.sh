# The phases of a build. Each is a function that a variable of the same name takes the place of.

stripHash() {
  local name=${1##*/}
  if [[ "$name" =~ ^[a-z0-9]{32}- ]]; then
    name=${name:33}
  fi
  printf '%s\n' "$name"
}

unpackFile() {
  curSrc=$1
  echo "unpacking source archive $curSrc"
  if ! runOneHook unpackCmd "$curSrc"; then
    nixErrorLog "do not know how to unpack source archive $curSrc"
    exit 1
  fi
}
unpackCmdHooks+=(_defaultUnpack)
_defaultUnpack() {
  local file=$1
  if [ -d "$file" ]; then
    cp -r --preserve=mode,timestamps --reflink=auto -- "$file" "$(stripHash "$file")"
    return
  fi
  case "$file" in
    *.tar | *.tar.* | *.tgz | *.tbz2 | *.txz | *.tzst)
      # Time stamps in the future and unknown owners are not errors of the source.
      tar xf "$file" --mode=+w --warning=no-timestamp --no-same-owner
      ;;
    *.zip | *.jar | *.war)
      if type -P unzip >/dev/null; then
        unzip -qq "$file"
      elif type -P python3 >/dev/null; then
        python3 -m zipfile -e "$file" .
      else
        nixErrorLog "$(stripHash "$file") is unpacked by unzip: nativeBuildInputs = [ pkgs.unzip ]"
        exit 1
      fi
      ;;
    *) return 1 ;;
  esac
}

unpackPhase() {
  runHook preUnpack
  local -a sources=()
  if [ -n "${srcs-}" ]; then
    toArray sources srcs
  elif [ -n "${src-}" ]; then
    sources=("$src")
  else
    nixErrorLog 'variable $src or $srcs should point to the source'
    exit 1
  fi

  # The one folder that unpacking makes is the source.
  local -A before=()
  local entry
  for entry in *; do
    [ ! -d "$entry" ] || before[$entry]=1
  done
  for entry in "${sources[@]}"; do
    unpackFile "$entry"
  done
  if [ -n "${setSourceRoot-}" ]; then
    runOneHook setSourceRoot
  elif [ -z "${sourceRoot-}" ]; then
    sourceRoot=
    for entry in *; do
      if [ -d "$entry" ] && [ -z "${before[$entry]-}" ]; then
        if [ -n "$sourceRoot" ]; then
          nixErrorLog "unpacker produced multiple directories; set sourceRoot to say which is the source"
          exit 1
        fi
        sourceRoot=$entry
      fi
    done
  fi
  if [ -z "$sourceRoot" ]; then
    nixErrorLog "unpacker appears to have produced no directories"
    exit 1
  fi
  echo "source root is $sourceRoot"
  if [ "${dontMakeSourcesWritable:-0}" != 1 ]; then
    chmod -R u+w -- "$sourceRoot"
  fi
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  local -a files=() flags=()
  local file
  toArray files patches
  if [ -n "${patchFlags-}" ]; then toArray flags patchFlags; else flags=(-p1); fi
  for file in "${files[@]}"; do
    echo "applying patch $file"
    local -a open=(cat)
    case "$file" in
      *.gz) open=(gzip -d) ;;
      *.bz2) open=(bzip2 -d) ;;
      *.xz) open=(xz -d) ;;
    esac
    "${open[@]}" <"$file" | patch "${flags[@]}"
  done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  : "${configureScript=}"
  if [ -z "$configureScript" ] && [ -x ./configure ]; then
    configureScript=./configure
  fi
  local -a flags=()
  if [ -z "${dontAddPrefix-}" ] && [ -n "$prefix" ]; then
    flags+=("${prefixKey---prefix=}$prefix")
  fi
  if [ -z "${dontAddDisableDepTrack-}" ] && [ -f "$configureScript" ] && grep -q dependency-tracking "$configureScript"; then
    flags+=(--disable-dependency-tracking)
  fi
  if [ -z "${dontDisableStatic-}" ] && [ -f "$configureScript" ] && grep -q enable-static "$configureScript"; then
    flags+=(--disable-static)
  fi
  local -a _flags=()
  _outputFlags
  flags+=("${_flags[@]}")
  _flagsOf flags configureFlags
  if [ -n "$configureScript" ]; then
    echoCmd 'configure flags' "${flags[@]}"
    $configureScript "${flags[@]}"
  else
    echo "no configure script, doing nothing"
  fi
  runHook postConfigure
}

_makeFlags() {
  _flags=()
  if [ -n "${enableParallelBuilding-}" ] || [ "$1" = parallel ]; then
    _flags+=("-j$NIX_BUILD_CORES")
  fi
  shift
  _flags+=("SHELL=$SHELL")
  _flagsOf _flags makeFlags "$@"
}
_hasMakefile() {
  [ -n "${makefile-}" ] || [ -e Makefile ] || [ -e makefile ] || [ -e GNUmakefile ]
}

buildPhase() {
  runHook preBuild
  if [ -z "${makeFlags-}${buildFlags-}" ] && ! _hasMakefile; then
    echo "no Makefile or custom buildPhase, doing nothing"
  else
    local -a _flags
    _makeFlags "" buildFlags
    echoCmd 'build flags' "${_flags[@]}"
    make ${makefile:+-f "$makefile"} "${_flags[@]}"
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if ! _hasMakefile; then
    echo "no Makefile or custom checkPhase, doing nothing"
  else
    local target=${checkTarget-}
    if [ -z "$target" ]; then
      for target in check test ""; do
        if [ -z "$target" ] || make -n ${makefile:+-f "$makefile"} "$target" >/dev/null 2>&1; then
          break
        fi
      done
    fi
    if [ -z "$target" ]; then
      echo "no check/test target in Makefile, doing nothing"
    else
      local -a _flags
      _makeFlags "" checkFlags
      [ -n "${checkFlags-}" ] || _flags+=("VERBOSE=y")
      echoCmd 'check flags' "${_flags[@]}" $target
      make ${makefile:+-f "$makefile"} "${_flags[@]}" $target
    fi
  fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  if [ -n "$prefix" ]; then
    mkdir -p "$prefix"
  fi
  if [ -z "${makeFlags-}${installFlags-}" ] && ! _hasMakefile; then
    echo "no Makefile or custom installPhase, doing nothing"
  else
    local -a _flags targets=()
    _makeFlags "" installFlags
    if [ -n "${installTargets-}" ]; then toArray targets installTargets; else targets=(install); fi
    echoCmd 'install flags' "${_flags[@]}" "${targets[@]}"
    make ${makefile:+-f "$makefile"} "${_flags[@]}" "${targets[@]}"
  fi
  runHook postInstall
}

installCheckPhase() {
  runHook preInstallCheck
  if _hasMakefile && [ -n "${installCheckTarget-}" ]; then
    local -a _flags
    _makeFlags "" installCheckFlags
    make ${makefile:+-f "$makefile"} "${_flags[@]}" "$installCheckTarget"
  else
    echo "no installcheck target, doing nothing"
  fi
  runHook postInstallCheck
}

distPhase() {
  runHook preDist
  local -a _flags
  _makeFlags "" distFlags
  make ${makefile:+-f "$makefile"} "${_flags[@]}" ${distTarget:-dist}
  if [ "${dontCopyDist:-0}" != 1 ]; then
    mkdir -p "$out/tarballs"
    cp -pvd ${tarballs:-*.tar.gz} "$out/tarballs"
  fi
  runHook postDist
}

_skipPhase() {
  case "$1" in
    unpackPhase) [ -n "${dontUnpack-}" ] ;;
    patchPhase) [ -n "${dontPatch-}" ] ;;
    configurePhase) [ -n "${dontConfigure-}" ] ;;
    buildPhase) [ -n "${dontBuild-}" ] ;;
    checkPhase) [ -z "${doCheck-}" ] ;;
    installPhase) [ -n "${dontInstall-}" ] ;;
    fixupPhase) [ -n "${dontFixup-}" ] ;;
    installCheckPhase) [ -z "${doInstallCheck-}" ] ;;
    distPhase) [ -z "${doDist-}" ] ;;
    *) false ;;
  esac
}

runPhase() {
  local curPhase=$1
  if _skipPhase "$curPhase"; then
    return 0
  fi
  # Nix reads this from its log descriptor to say which phase a build is in.
  if [ -n "${NIX_LOG_FD-}" ]; then
    echo "@nix { \"action\": \"setPhase\", \"phase\": \"$curPhase\" }" >&"$NIX_LOG_FD"
  fi
  echo "Running phase: $curPhase"
  if [ -n "${!curPhase-}" ]; then
    eval "${!curPhase}"
  else
    "$curPhase"
  fi
  if [ "$curPhase" = unpackPhase ] && [ -n "${sourceRoot-}" ]; then
    cd -- "$sourceRoot"
  fi
}

definePhases() {
  if [ -n "${phases-}" ]; then
    return
  fi
  phases=()
  local kind
  for kind in prePhases =unpackPhase =patchPhase preConfigurePhases =configurePhase preBuildPhases =buildPhase \
    =checkPhase preInstallPhases =installPhase preFixupPhases =fixupPhase =installCheckPhase preDistPhases \
    =distPhase postPhases; do
    if [[ "$kind" == =* ]]; then phases+=("${kind#=}"); else toArray phases "$kind"; fi
  done
}

genericBuild() {
  set -eo pipefail
  export GZIP_NO_TIMESTAMPS=1
  if [ -f "${buildCommandPath-}" ]; then
    source "$buildCommandPath"
    return
  fi
  if [ -n "${buildCommand-}" ]; then
    eval "$buildCommand"
    return
  fi
  definePhases
  # Variables of phases are attributes of the derivation: these must not hide any.
  local _phase
  local -a _planned=()
  toArray _planned phases
  for _phase in "${_planned[@]}"; do
    runPhase "$_phase"
  done
}
