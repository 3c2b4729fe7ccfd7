# validatePkgConfig: what is installed for pkg-config can be read by it.
validatePkgConfig() {
  local output file
  for output in "${outputNames[@]}"; do
    for file in "${!output}"/lib/pkgconfig/*.pc "${!output}"/share/pkgconfig/*.pc; do
      if [ -f "$file" ] && ! pkg-config --validate "$file"; then
        nixErrorLog "$file is not valid to pkg-config"
        exit 1
      fi
    done
  done
}
postFixupHooks+=(validatePkgConfig)
