# Processors by the name that Nix gives them, and what others call them.
{
  x86_64 = { bits = 64; family = "x86"; endian = "little"; arch = "x86-64"; go.arch = "amd64"; debian = "amd64"; linuxArch = "x86_64"; qemu = "x86_64"; };
  i686 = { bits = 32; family = "x86"; endian = "little"; arch = "i686"; go.arch = "386"; debian = "i386"; linuxArch = "i386"; qemu = "i386"; };
  aarch64 = { bits = 64; family = "arm"; endian = "little"; arch = "armv8-a"; version = "8"; go.arch = "arm64"; debian = "arm64"; linuxArch = "arm64"; qemu = "aarch64"; };
  armv7l = { bits = 32; family = "arm"; endian = "little"; arch = "armv7-a"; version = "7"; go = { arch = "arm"; arm = "7"; }; debian = "armhf"; linuxArch = "arm"; qemu = "arm"; eabi = "eabihf"; };
  armv6l = { bits = 32; family = "arm"; endian = "little"; arch = "armv6"; version = "6"; go = { arch = "arm"; arm = "6"; }; debian = "armel"; linuxArch = "arm"; qemu = "arm"; eabi = "eabihf"; };
  armv5tel = { bits = 32; family = "arm"; endian = "little"; arch = "armv5t"; version = "5"; go = { arch = "arm"; arm = "5"; }; debian = "armel"; linuxArch = "arm"; qemu = "arm"; eabi = "eabi"; };
  powerpc64le = { bits = 64; family = "power"; endian = "little"; go.arch = "ppc64le"; debian = "ppc64el"; linuxArch = "powerpc"; qemu = "ppc64le"; };
  riscv64 = { bits = 64; family = "riscv"; endian = "little"; go.arch = "riscv64"; debian = "riscv64"; linuxArch = "riscv"; qemu = "riscv64"; };
  s390x = { bits = 64; family = "s390"; endian = "big"; go.arch = "s390x"; debian = "s390x"; linuxArch = "s390"; qemu = "s390x"; };
  mips64el = { bits = 64; family = "mips"; endian = "little"; go.arch = "mips64le"; debian = "mips64el"; linuxArch = "mips"; qemu = "mips64el"; };
  loongarch64 = { bits = 64; family = "loongarch"; endian = "little"; go.arch = "loong64"; debian = "loong64"; linuxArch = "loongarch"; qemu = "loongarch64"; };
}
