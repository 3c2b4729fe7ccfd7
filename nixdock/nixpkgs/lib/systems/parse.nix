# Names of systems and what they say: processor, vendor, kernel and ABI. "x86_64-linux" and
# "aarch64-unknown-linux-musl" alike become a set of the four. And what can be asked of such a set (`inspect`).
{ lib }:

let
  inherit (builtins) elemAt head isAttrs isString length mapAttrs match;

  typed = type: mapAttrs (name: value: { _type = type; inherit name; } // value);
  isType = type: value: isAttrs value && value._type or null == type;

  significantBytes = typed "significant-byte" { bigEndian = { }; littleEndian = { }; };

  cpu = bits: endian: family: more:
    { inherit bits family; significantByte = significantBytes.${endian}; } // more;
  little = bits: cpu bits "littleEndian";
  big = bits: cpu bits "bigEndian";
  arm = version: arch: little 32 "arm" { inherit version arch; };
  x86 = arch: little 32 "x86" { inherit arch; };

  cpuTypes = typed "cpu-type" {
    arm = little 32 "arm" { };
    armv5tel = arm "5" "armv5t";
    armv6m = arm "6" "armv6-m";
    armv6l = arm "6" "armv6";
    armv7a = arm "7" "armv7-a";
    armv7r = arm "7" "armv7-r";
    armv7m = arm "7" "armv7-m";
    armv7l = arm "7" "armv7";
    armv8a = arm "8" "armv8-a";
    armv8r = arm "8" "armv8-a";
    armv8m = arm "8" "armv8-m";
    aarch64 = little 64 "arm" { version = "8"; arch = "armv8-a"; };
    aarch64_be = big 64 "arm" { version = "8"; arch = "armv8-a"; };
    i386 = x86 "i386";
    i486 = x86 "i486";
    i586 = x86 "i586";
    i686 = x86 "i686";
    x86_64 = little 64 "x86" { arch = "x86-64"; };
    microblaze = big 32 "microblaze" { };
    microblazeel = little 32 "microblaze" { };
    mips = big 32 "mips" { };
    mipsel = little 32 "mips" { };
    mips64 = big 64 "mips" { };
    mips64el = little 64 "mips" { };
    mmix = big 64 "mmix" { };
    m68k = big 32 "m68k" { };
    powerpc = big 32 "power" { };
    powerpc64 = big 64 "power" { };
    powerpc64le = little 64 "power" { };
    powerpcle = little 32 "power" { };
    riscv32 = little 32 "riscv" { };
    riscv64 = little 64 "riscv" { };
    s390 = big 32 "s390" { };
    s390x = big 64 "s390" { };
    sh4 = little 32 "sh" { };
    sparc = big 32 "sparc" { };
    sparc64 = big 64 "sparc" { };
    wasm32 = little 32 "wasm" { };
    wasm64 = little 64 "wasm" { };
    alpha = little 64 "alpha" { };
    rx = little 32 "rx" { };
    msp430 = little 16 "msp430" { };
    avr = cpu 8 "littleEndian" "avr" { };
    vc4 = little 32 "vc4" { };
    or1k = big 32 "or1k" { };
    loongarch64 = little 64 "loongarch" { };
    javascript = little 32 "javascript" { };
  };

  vendors = typed "vendor" { apple = { }; pc = { }; knuth = { }; w64 = { }; none = { }; unknown = { }; };

  execFormats = typed "exec-format" { aout = { }; elf = { }; macho = { }; pe = { }; wasm = { }; unknown = { }; };
  kernelFamilies = typed "kernel-family" { bsd = { }; darwin = { }; };

  kernel = execFormat: families: {
    execFormat = execFormats.${execFormat};
    families = lib.attrsets.genAttrs families (name: kernelFamilies.${name});
  };
  kernels = ownKernels // {
    darwin = kernels.macos;
    watchos = kernels.ios;
    tvos = kernels.ios;
    win32 = kernels.windows;
  };
  ownKernels = typed "kernel" {
    macos = kernel "macho" [ "darwin" ] // { name = "darwin"; };
    ios = kernel "macho" [ "darwin" ];
    freebsd = kernel "elf" [ "bsd" ];
    netbsd = kernel "elf" [ "bsd" ];
    openbsd = kernel "elf" [ "bsd" ];
    linux = kernel "elf" [ ];
    solaris = kernel "elf" [ ];
    redox = kernel "elf" [ ];
    genode = kernel "elf" [ ];
    windows = kernel "pe" [ ];
    cygwin = kernel "pe" [ ];
    uefi = kernel "pe" [ ];
    wasi = kernel "wasm" [ ];
    none = kernel "unknown" [ ];
    ghcjs = kernel "unknown" [ ];
    mmixware = kernel "unknown" [ ];
  };

  abis = typed "abi" {
    cygnus = { };
    msvc = { };
    elf = { };
    eabi = { float = "soft"; };
    eabihf = { float = "hard"; };
    android = { };
    androideabi = { };
    gnu = { };
    gnueabi = { float = "soft"; };
    gnueabihf = { float = "hard"; };
    gnuabi64 = { abi = "64"; };
    gnuabin32 = { abi = "n32"; };
    gnuabielfv1 = { abi = "elfv1"; };
    gnuabielfv2 = { abi = "elfv2"; };
    gnu_ilp32 = { abi = "ilp32"; };
    gnux32 = { abi = "x32"; };
    musl = { };
    musleabi = { float = "soft"; };
    musleabihf = { float = "hard"; };
    muslabi64 = { abi = "64"; };
    muslabin32 = { abi = "n32"; };
    muslx32 = { abi = "x32"; };
    uclibc = { };
    uclibceabi = { float = "soft"; };
    uclibceabihf = { float = "hard"; };
    llvm = { };
    unknown = { };
  };

  known = what: table: name: text:
    table.${name} or (throw "unknown ${what} '${name}' in system '${text}'; known are ${
      lib.strings.concatStringsSep ", " (builtins.attrNames table)}");

  # A BSD or Darwin has its release in its name: freebsd14, darwin20.
  kernelFrom = name: text:
    let
      plain = lib.strings.removeSuffix "elf" name;
      versioned = match "(darwin|macos|freebsd|netbsd|openbsd|solaris)([0-9.]+)" name;
    in
    if kernels ? ${name} then kernels.${name}
    else if versioned != null then
      kernels.${head versioned} // lib.attrsets.optionalAttrs (head versioned == "freebsd") { version = elemAt versioned 1; }
    else known "kernel" kernels plain text;

  # Which part is which, by how many there are.
  skeleton = text:
    let
      words = lib.strings.splitString "-" text;
      word = elemAt words;
      kernelWords = [ "linux" "windows" "cygwin" ];
      osOfVendor = [ "none" "wasi" "redox" "mmixware" "ghcjs" "uefi" "solaris" "windows" "cygwin" "linux" "darwin" "macos" "ios" ];
      startsAny = name: builtins.any (prefix: lib.strings.hasPrefix prefix name) [ "darwin" "freebsd" "netbsd" "openbsd" "genode" ];
      ambiguous = throw "system string '${text}' with ${toString (length words)} component${if length words == 1 then "" else "s"} is ambiguous";
    in
    if length words == 1 then
      if text == "avr" then { cpu = text; kernel = "none"; abi = "unknown"; } else ambiguous
    else if length words == 2 then
      if word 1 == "windows" then { cpu = word 0; kernel = "windows"; abi = "msvc"; }
      else if word 1 == "elf" then { cpu = word 0; vendor = "unknown"; kernel = "none"; abi = "elf"; }
      else { cpu = word 0; kernel = word 1; }
    else if length words == 3 then
      if word 2 == "mingw32" then { cpu = word 0; vendor = word 1; kernel = "windows"; abi = "gnu"; }
      else if builtins.elem (word 1) kernelWords || (abis ? ${word 2} && !(vendors ? ${word 1}) && kernels ? ${word 1}) then
        { cpu = word 0; kernel = word 1; abi = word 2; vendor = "unknown"; }
      else if word 1 == "none" && abis ? ${word 2} then { cpu = word 0; vendor = "unknown"; kernel = "none"; abi = word 2; }
      else if word 1 == "apple" || builtins.elem (word 2) osOfVendor || startsAny (word 2) then
        { cpu = word 0; vendor = word 1; kernel = word 2; }
      else if abis ? ${word 2} then { cpu = word 0; vendor = word 1; kernel = "none"; abi = word 2; }
      else ambiguous
    else if length words == 4 then { cpu = word 0; vendor = word 1; kernel = word 2; abi = word 3; }
    else throw "system string '${text}' has invalid number of hyphen-separated components";

  mkSystemFromString = text:
    let
      found = skeleton text;
      cpu = known "CPU" cpuTypes (if found.cpu == "amd64" then "x86_64" else if found.cpu == "arm64" then "aarch64" else found.cpu) text;
      kernel = kernelFrom found.kernel text;
      isArm32 = cpu.family == "arm" && cpu.bits == 32;
      abi =
        if found ? abi then known "ABI" abis found.abi text
        else if kernel.name == "cygwin" then abis.cygnus
        else if kernel.name != "linux" then abis.unknown
        else if isArm32 then (if lib.strings.versionAtLeast (cpu.version or "0") "6" then abis.gnueabihf else abis.gnueabi)
        else if cpu.name == "powerpc64" then abis.gnuabielfv2
        else if cpu.family == "mips" && cpu.bits == 64 then abis.gnuabi64
        else abis.gnu;
    in
    {
      _type = "system";
      inherit cpu kernel abi;
      vendor =
        if found ? vendor then known "vendor" vendors found.vendor text
        else if kernel.families ? darwin then vendors.apple
        else if kernel.name == "windows" || kernel.name == "cygwin" then vendors.pc
        else vendors.unknown;
    };

  kernelName = kernel: kernel.name + kernel.version or "";

  doubleFromSystem = { cpu, kernel, ... }:
    "${cpu.name}-${if kernel.families ? darwin then "darwin" else kernelName kernel}";
  tripleFromSystem = { cpu, vendor, kernel, abi, ... }:
    let
      cpuName = if kernel.families ? darwin && cpu.name == "aarch64" then "arm64" else cpu.name;
      end = lib.strings.optionalString (abi.name != "unknown") "-${abi.name}";
    in
    "${cpuName}-${vendor.name}-${kernelName kernel}${end}";
  # Patterns: each a set of parts, or a list of alternatives.
  family = name: { cpu = { family = name; }; };
  familyOf = name: bits: { cpu = { family = name; inherit bits; }; };
  ofKernel = name: { kernel = kernels.${name}; };
  named = names: map (name: { abi = abis.${name}; }) names;

  patterns = rec {
    isi686 = { cpu = cpuTypes.i686; };
    isx86_32 = familyOf "x86" 32;
    isx86_64 = familyOf "x86" 64;
    isPower = family "power";
    isPower64 = familyOf "power" 64;
    isx86 = family "x86";
    isAarch32 = familyOf "arm" 32;
    isArmv7 = map (arch: { cpu = { inherit arch; }; }) [ "armv7-a" "armv7-r" "armv7-m" "armv7" ];
    isAarch64 = familyOf "arm" 64;
    isAarch = family "arm";
    isMicroBlaze = family "microblaze";
    isMips = family "mips";
    isMips32 = familyOf "mips" 32;
    isMips64 = familyOf "mips" 64;
    isMips64n32 = { cpu = { family = "mips"; bits = 64; }; abi = { abi = "n32"; }; };
    isMips64n64 = { cpu = { family = "mips"; bits = 64; }; abi = { abi = "64"; }; };
    isMmix = family "mmix";
    isRiscV = family "riscv";
    isRiscV32 = familyOf "riscv" 32;
    isRiscV64 = familyOf "riscv" 64;
    isRx = family "rx";
    isSh4 = { cpu = cpuTypes.sh4; };
    isSparc = family "sparc";
    isSparc64 = familyOf "sparc" 64;
    isWasm = family "wasm";
    isMsp430 = family "msp430";
    isVc4 = family "vc4";
    isAvr = family "avr";
    isAlpha = family "alpha";
    isOr1k = family "or1k";
    isM68k = family "m68k";
    isS390 = family "s390";
    isS390x = familyOf "s390" 64;
    isLoongArch64 = familyOf "loongarch" 64;
    isJavaScript = { cpu = cpuTypes.javascript; };

    is32bit = { cpu = { bits = 32; }; };
    is64bit = { cpu = { bits = 64; }; };
    isILP32 = [ (familyOf "wasm" 32) ] ++ map (abi: { abi = { inherit abi; }; }) [ "n32" "ilp32" "x32" ];
    isBigEndian = { cpu = { significantByte = significantBytes.bigEndian; }; };
    isLittleEndian = { cpu = { significantByte = significantBytes.littleEndian; }; };

    isBSD = { kernel = { families = { inherit (kernelFamilies) bsd; }; }; };
    isDarwin = { kernel = { families = { inherit (kernelFamilies) darwin; }; }; };
    isUnix = [ isBSD isDarwin isLinux isSunOS isCygwin isRedox ];

    isMacOS = ofKernel "macos";
    isiOS = ofKernel "ios";
    isLinux = ofKernel "linux";
    isSunOS = ofKernel "solaris";
    isFreeBSD = { kernel = { name = "freebsd"; }; };
    isNetBSD = ofKernel "netbsd";
    isOpenBSD = ofKernel "openbsd";
    isWindows = ofKernel "windows";
    isCygwin = ofKernel "cygwin";
    isMinGW = { kernel = kernels.windows; abi = abis.gnu; };
    isMsvc = { kernel = kernels.windows; abi = abis.msvc; };
    isWasi = ofKernel "wasi";
    isRedox = ofKernel "redox";
    isGhcjs = ofKernel "ghcjs";
    isGenode = ofKernel "genode";
    isUefi = ofKernel "uefi";
    isNone = ofKernel "none";

    isAndroid = named [ "android" "androideabi" ];
    isGnu = named [ "gnuabi64" "gnuabin32" "gnu" "gnueabi" "gnueabihf" "gnuabielfv1" "gnuabielfv2" "gnu_ilp32" "gnux32" ];
    isMusl = named [ "musl" "musleabi" "musleabihf" "muslabin32" "muslabi64" "muslx32" ];
    isUClibc = named [ "uclibc" "uclibceabi" "uclibceabihf" ];
    isLLVMLibc = named [ "llvm" ];
    isAbiElfv1 = { abi = { abi = "elfv1"; }; };
    isAbiElfv2 = { abi = { abi = "elfv2"; }; };

    isEfi = [
      { cpu = { family = "arm"; version = "6"; }; }
      { cpu = { family = "arm"; version = "7"; }; }
      { cpu = { family = "arm"; version = "8"; }; }
      (family "riscv")
      (family "x86")
      { cpu = { family = "loongarch"; }; }
    ];
    isElf = { kernel = { execFormat = execFormats.elf; }; };
    isMacho = { kernel = { execFormat = execFormats.macho; }; };
    isPE = { kernel = { execFormat = execFormats.pe; }; };
  };

  matchAny = pattern:
    if builtins.isList pattern then system: builtins.any (one: lib.attrsets.matchAttrs one system) pattern
    else lib.attrsets.matchAttrs pattern;
in
{
  parse = {
    inherit significantBytes cpuTypes vendors execFormats kernelFamilies kernels abis;
    inherit mkSystemFromString doubleFromSystem tripleFromSystem kernelName;
    mkSystem = parts: { _type = "system"; } // parts;
    isSystem = isType "system";
    isCpuType = isType "cpu-type";
    isKernel = isType "kernel";
    isAbi = isType "abi";

    # Whether programs for `other` run on a processor `own`.
    isCompatible = own: other:
      let
        x86 = [ "i386" "i486" "i586" "i686" "x86_64" ];
        arms = [ "armv5tel" "armv6l" "armv7a" "armv7l" "armv8a" "aarch64" ];
        place = list: name: lib.lists.findFirstIndex (x: x == name) null list;
        earlier = list:
        let
          ours = place list own.name;
          theirs = place list other.name;
        in
        ours != null && theirs != null && theirs <= ours;
      in
      own.name == other.name || earlier x86 || earlier arms
      || (own.name == "powerpc64" && other.name == "powerpc") || (own.name == "mips64" && other.name == "mips")
      || (own.name == "mips64el" && other.name == "mipsel") || (own.name == "s390x" && other.name == "s390")
      || (own.name == "sparc64" && other.name == "sparc") || (own.name == "wasm64" && other.name == "wasm32");
  };

  inspect = {
    inherit patterns;
    patternLogicalAnd = left: right:
      let
        both = a: b: lib.attrsets.recursiveUpdateUntil
          (path: x: y:
            if builtins.isAttrs x && builtins.isAttrs y then false
            else if x == y then true
            else throw "pattern conflict at path ${toString path}: ${builtins.toJSON x} and ${builtins.toJSON y}")
          a
          b;
      in
      builtins.concatMap (a: map (both a) (lib.lists.toList right)) (lib.lists.toList left);
    # Of what is read from a name, and of a whole platform.
    predicates = builtins.mapAttrs (_: matchAny) patterns;
    platformPatterns = {
      isStatic = { parsed = { }; isStatic = true; };
      isDynamicLinux = { parsed = { kernel = kernels.linux; }; isStatic = false; };
    };
  };
}
