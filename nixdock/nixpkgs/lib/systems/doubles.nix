# The systems that nixpkgs has names for, and lists of those that something has in common.
{ lib }:

let
  inherit (lib.systems.parse) cpuTypes;

  of = kernel: cpus: map (cpu: "${cpu}-${kernel}") (lib.strings.splitString " " cpus);
  byKernel = {
    cygwin = of "cygwin" "i686 x86_64";
    darwin = of "darwin" "aarch64 x86_64";
    freebsd = of "freebsd" "aarch64 i686 x86_64";
    genode = of "genode" "aarch64 i686 x86_64";
    illumos = of "solaris" "x86_64";
    js = of "ghcjs" "javascript";
    linux = of "linux" ("aarch64 armv5tel armv6l armv7a armv7l i686 loongarch64 m68k microblaze microblazeel mips mips64 "
      + "mips64el mipsel powerpc powerpc64 powerpc64le riscv32 riscv64 s390 s390x sh4 x86_64");
    mmixware = of "mmixware" "mmix";
    netbsd = of "netbsd" "aarch64 armv6l armv7a armv7l i686 m68k mipsel powerpc riscv32 riscv64 x86_64";
    none = of "none" ("aarch64 aarch64_be arm armv6l avr i686 loongarch64 m68k microblaze microblazeel mips mips64 msp430 or1k "
      + "powerpc powerpcle riscv32 riscv64 rx s390 s390x vc4 x86_64");
    openbsd = of "openbsd" "i686 x86_64";
    redox = of "redox" "x86_64";
    uefi = of "uefi" "aarch64 i686 x86_64";
    wasi = of "wasi" "wasm32 wasm64";
    windows = of "windows" "aarch64 i686 x86_64";
  };

  all = builtins.concatLists (builtins.attrValues byKernel);
  cpuOf = double: cpuTypes.${builtins.head (lib.strings.splitString "-" double)};
  # By the processor alone: no name need be read as a whole.
  withCpu = holds: builtins.filter (double: holds (cpuOf double)) all;
  family = name: withCpu (cpu: cpu.family == name);
  familyOf = name: bits: withCpu (cpu: cpu.family == name && cpu.bits == bits);
in
{
  inherit all;
  inherit (byKernel) cygwin darwin freebsd genode illumos js linux netbsd openbsd redox uefi wasi windows;
  none = [ ];
  embedded = byKernel.none;
  gnu = byKernel.linux;
  unix = with byKernel; linux ++ darwin ++ freebsd ++ openbsd ++ netbsd ++ illumos ++ cygwin ++ redox;

  arm = familyOf "arm" 32;
  armv7 = withCpu (cpu: lib.strings.hasPrefix "armv7" cpu.name);
  aarch = family "arm";
  aarch64 = familyOf "arm" 64;
  x86 = family "x86";
  i686 = familyOf "x86" 32;
  x86_64 = familyOf "x86" 64;
  microblaze = family "microblaze";
  mips = family "mips";
  mmix = family "mmix";
  power = family "power";
  riscv = family "riscv";
  riscv32 = familyOf "riscv" 32;
  riscv64 = familyOf "riscv" 64;
  rx = family "rx";
  vc4 = family "vc4";
  or1k = family "or1k";
  m68k = family "m68k";
  s390 = family "s390";
  s390x = familyOf "s390" 64;
  loongarch64 = family "loongarch";
  littleEndian = withCpu (cpu: cpu.significantByte.name == "littleEndian");
  bigEndian = withCpu (cpu: cpu.significantByte.name == "bigEndian");
}
