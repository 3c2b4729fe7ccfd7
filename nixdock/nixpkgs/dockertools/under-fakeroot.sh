# under-fakeroot.sh FAKEROOT PROGRAM ARGUMENT...: runs a program whose files belong to whom it says, as far as it
# and the programs that it starts can see. Run by a static busybox, which the library below does not change.
fakeroot=$1
shift
started=$("$fakeroot/bin/faked-sysv") || exit 1
export FAKEROOTKEY=${started%%:*} FAKED_MODE=unknown-is-root
# Real chown fails on what is not one's own, so it must not even be tried.
export FAKEROOTDONTTRYCHOWN=1
for library in "$fakeroot"/lib/*/libfakeroot/libfakeroot-sysv.so; do
  export LD_PRELOAD=$library
done
"$@"
status=$?
kill "${started##*:}"
exit $status
