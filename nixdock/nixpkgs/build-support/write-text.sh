# Puts the text where it belongs; sourced by bash too, where a check follows.
target=$out$destination
case $destination in
  ?*) mkdir -p "${target%/*}" ;;
esac
cp "$textPath" "$target"
if [ -n "$executable" ]; then
  chmod +x "$target"
fi
