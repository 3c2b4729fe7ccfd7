# copyDesktopItems: desktopItems, as files or as packages that have such.
copyDesktopItems() {
  local -a items=()
  local item
  toArray items desktopItems
  mkdir -p "${!outputBin}/share/applications"
  for item in "${items[@]}"; do
    if [ -d "$item" ]; then item=$item/share/applications/*.desktop; fi
    cp -v $item "${!outputBin}/share/applications/"
  done
}
if [ -z "${dontCopyDesktopItems-}" ]; then
  postInstallHooks+=(copyDesktopItems)
fi
