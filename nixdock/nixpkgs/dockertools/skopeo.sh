# Unpacks skopeo and all that it needs into one folder, and tells it where its libraries are.
# Run by a static busybox, whose shell finds every tool below but patchelf in itself.
root=$out/root
mkdir -p "$root" "$out/bin"
for deb in $debs; do
  dpkg-deb -x "$deb" "$root"
done

libraries=
for folder in "$root"/lib/*-linux-gnu* "$root"/usr/lib/*-linux-gnu*; do
  libraries=$libraries${libraries:+:}$folder
done
loader=
for file in "$root"/lib/*-linux-gnu*/ld-linux*.so.* "$root"/usr/lib/*-linux-gnu*/ld-linux*.so.*; do
  if [ -e "$file" ]; then loader=$file; fi
done

# RPATH, not RUNPATH: it holds for the libraries of the libraries too, so that nothing else needs a change.
"$patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$root/usr/bin/skopeo"
ln -s ../root/usr/bin/skopeo "$out/bin/skopeo"

cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$out/certificates.pem"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$out/policy.json"
