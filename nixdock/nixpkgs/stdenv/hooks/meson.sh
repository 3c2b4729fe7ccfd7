# meson: configures a project into the folder `build`, where ninja goes on.
#
#   mesonFlags, mesonFlagsArray, mesonBuildType (plain), mesonAutoFeatures (enabled), mesonWrapMode (nodownload),
#   mesonBuildDir (build), mesonCheckFlags, mesonInstallFlags, mesonInstallTags,
#   dontUseMesonConfigure, dontUseMesonCheck, dontUseMesonInstall

mesonConfigurePhase() {
  runHook preConfigure
  local -a flags=()
  if [ -z "${dontAddPrefix-}" ]; then
    flags+=("--prefix=$prefix")
  fi
  flags+=(
    "--libdir=${!outputLib}/lib" "--libexecdir=${!outputLib}/libexec"
    "--bindir=${!outputBin}/bin" "--sbindir=${!outputBin}/sbin"
    "--includedir=${!outputInclude}/include"
    "--mandir=${!outputMan}/share/man" "--infodir=${!outputInfo}/share/info"
    "--localedir=${!outputLib}/share/locale"
    "-Dauto_features=${mesonAutoFeatures:-enabled}"
    "-Dwrap_mode=${mesonWrapMode:-nodownload}"
    "--buildtype=${mesonBuildType:-plain}"
  )
  _flagsOf flags mesonFlags
  echoCmd 'meson flags' "${flags[@]}"
  CFLAGS=${CFLAGS-} meson setup "${mesonBuildDir:=build}" "${flags[@]}"
  cd "$mesonBuildDir"
  : "${enableParallelBuilding=1}"
  runHook postConfigure
}

mesonCheckPhase() {
  runHook preCheck
  local -a flags=()
  _flagsOf flags mesonCheckFlags
  echoCmd 'meson check flags' "${flags[@]}"
  meson test --no-rebuild --print-errorlogs "${flags[@]}"
  runHook postCheck
}

mesonInstallPhase() {
  runHook preInstall
  local -a flags=() tags=()
  toArray tags mesonInstallTags
  if ((${#tags[@]})); then flags+=("--tags=$(IFS=,; echo "${tags[*]}")"); fi
  _flagsOf flags mesonInstallFlags
  echoCmd 'meson install flags' "${flags[@]}"
  meson install --no-rebuild "${flags[@]}"
  runHook postInstall
}

if [ -z "${dontUseMesonConfigure-}" ] && [ -z "${configurePhase-}" ]; then
  configurePhase=mesonConfigurePhase
fi
if [ -z "${dontUseMesonCheck-}" ] && { [ -z "${checkPhase-}" ] || [ "$checkPhase" = ninjaCheckPhase ]; }; then
  checkPhase=mesonCheckPhase
fi
if [ -z "${dontUseMesonInstall-}" ] && { [ -z "${installPhase-}" ] || [ "$installPhase" = ninjaInstallPhase ]; }; then
  installPhase=mesonInstallPhase
fi
