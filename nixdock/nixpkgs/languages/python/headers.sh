# Python's headers are a package of their own.
export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE-} -isystem @headers@/include/@python@"
for _folder in @headers@/include/*-linux-gnu*; do
  if [ -d "$_folder" ]; then NIX_CFLAGS_COMPILE+=" -isystem $_folder/@python@ -isystem $_folder"; fi
done
NIX_CFLAGS_COMPILE+=" -isystem @headers@/include"
# Python remembers the flags that Debian has built it with; these are of use here, too.
export LDSHARED="${CC:-gcc} -shared"
