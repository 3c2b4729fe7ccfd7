# Platforms by the names under which `pkgsCross` has them.
builtins.mapAttrs (_: config: { inherit config; }) {
  gnu64 = "x86_64-unknown-linux-gnu";
  gnu32 = "i686-unknown-linux-gnu";
  musl64 = "x86_64-unknown-linux-musl";
  musl32 = "i686-unknown-linux-musl";
  aarch64-multiplatform = "aarch64-unknown-linux-gnu";
  aarch64-multiplatform-musl = "aarch64-unknown-linux-musl";
  armv7l-hf-multiplatform = "armv7l-unknown-linux-gnueabihf";
  raspberryPi = "armv6l-unknown-linux-gnueabihf";
  muslpi = "armv6l-unknown-linux-musleabihf";
  sheevaplug = "armv5tel-unknown-linux-gnueabi";
  riscv64 = "riscv64-unknown-linux-gnu";
  riscv64-musl = "riscv64-unknown-linux-musl";
  riscv32 = "riscv32-unknown-linux-gnu";
  s390x = "s390x-unknown-linux-gnu";
  s390 = "s390-unknown-linux-gnu";
  ppc64 = "powerpc64-unknown-linux-gnuabielfv2";
  ppc64-musl = "powerpc64-unknown-linux-musl";
  powernv = "powerpc64le-unknown-linux-gnu";
  musl-power = "powerpc64le-unknown-linux-musl";
  mips64el-linux-gnuabi64 = "mips64el-unknown-linux-gnuabi64";
  loongarch64-linux = "loongarch64-unknown-linux-gnu";
  mingwW64 = "x86_64-w64-mingw32";
  mingw32 = "i686-w64-mingw32";
  aarch64-embedded = "aarch64-none-elf";
  arm-embedded = "arm-none-eabi";
  aarch64-darwin = "arm64-apple-darwin";
  x86_64-darwin = "x86_64-apple-darwin";
  x86_64-freebsd = "x86_64-unknown-freebsd";
  x86_64-netbsd = "x86_64-unknown-netbsd";
  wasi32 = "wasm32-unknown-wasi";
  ghcjs = "javascript-unknown-ghcjs";
}
