# Platforms by the names under which `pkgsCross` has them.
{
  gnu64.config = "x86_64-unknown-linux-gnu";
  musl64.config = "x86_64-unknown-linux-musl";
  gnu32.config = "i686-unknown-linux-gnu";
  aarch64-multiplatform.config = "aarch64-unknown-linux-gnu";
  aarch64-multiplatform-musl.config = "aarch64-unknown-linux-musl";
  armv7l-hf-multiplatform.config = "armv7l-unknown-linux-gnueabihf";
  riscv64.config = "riscv64-unknown-linux-gnu";
  s390x.config = "s390x-unknown-linux-gnu";
  powernv.config = "powerpc64le-unknown-linux-gnu";
}
