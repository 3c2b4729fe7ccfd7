# cmake: configures a project into a folder of its own, where the phases after that go on.
#
#   cmakeFlags, cmakeFlagsArray, cmakeBuildType (Release), cmakeBuildDir (build), cmakeDir (what has CMakeLists.txt,
#   seen from there), dontUseCmakeBuildDir, dontUseCmakeConfigure, dontFixCmake, dontAddPrefix

cmakeConfigurePhase() {
  runHook preConfigure
  if [ -z "${dontFixCmake-}" ]; then
    fixCmakeFiles .
  fi
  if [ -z "${dontUseCmakeBuildDir-}" ]; then
    mkdir -p "${cmakeBuildDir:=build}"
    cd "$cmakeBuildDir"
    : "${cmakeDir:=..}"
  else
    : "${cmakeDir:=.}"
  fi
  local -a flags=()
  if [ -z "${dontAddPrefix-}" ]; then
    flags+=("-DCMAKE_INSTALL_PREFIX=$prefix")
  fi
  flags+=(
    "-DCMAKE_BUILD_TYPE=${cmakeBuildType:-Release}"
    "-DBUILD_TESTING=$(if [ -n "${doCheck-}" ]; then echo ON; else echo OFF; fi)"
    "-DCMAKE_INSTALL_BINDIR=${!outputBin}/bin"
    "-DCMAKE_INSTALL_SBINDIR=${!outputBin}/sbin"
    "-DCMAKE_INSTALL_INCLUDEDIR=${!outputInclude}/include"
    "-DCMAKE_INSTALL_LIBDIR=${!outputLib}/lib"
    "-DCMAKE_INSTALL_LIBEXECDIR=${!outputLib}/libexec"
    "-DCMAKE_INSTALL_LOCALEDIR=${!outputLib}/share/locale"
    "-DCMAKE_INSTALL_MANDIR=${!outputMan}/share/man"
    "-DCMAKE_INSTALL_INFODIR=${!outputInfo}/share/info"
    "-DCMAKE_INSTALL_DOCDIR=${!outputDoc}/share/doc/${shareDocName-${pname-package}}"
    -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
    -DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF
  )
  if [ -n "${CC-}" ]; then flags+=("-DCMAKE_C_COMPILER=$CC"); fi
  if [ -n "${CXX-}" ]; then flags+=("-DCMAKE_CXX_COMPILER=$CXX"); fi
  if [ "${buildPhase-}" = ninjaBuildPhase ]; then
    export CMAKE_GENERATOR=${CMAKE_GENERATOR-Ninja}
  fi
  _flagsOf flags cmakeFlags
  echoCmd 'cmake flags' "${flags[@]}"
  cmake "$cmakeDir" "${flags[@]}"
  : "${enableParallelBuilding=1}" "${enableParallelChecking=1}" "${enableParallelInstalling=1}"
  export CTEST_OUTPUT_ON_FAILURE=1
  runHook postConfigure
}

# Paths of another system, at which a project's own files look for things.
fixCmakeFiles() {
  local file
  while IFS= read -r -d '' file; do
    sed -i -E 's,([" ])/(usr|opt)(/local)?([/" )]),\1/var/empty\4,g' "$file"
  done < <(find "$1" -type f \( -name '*.cmake' -o -name CMakeLists.txt \) -print0)
}


if [ -z "${dontUseCmakeConfigure-}" ] && [ -z "${configurePhase-}" ]; then
  configurePhase=cmakeConfigurePhase
fi
