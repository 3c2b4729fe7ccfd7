# Platforms: what a system name such as "x86_64-linux" says of a machine.
{ lib }:

let
  processors = import ./processors.nix;

  doubles = {
    linux = [ "aarch64-linux" "armv5tel-linux" "armv6l-linux" "armv7l-linux" "i686-linux" "mips64el-linux"
      "powerpc64le-linux" "riscv64-linux" "s390x-linux" "x86_64-linux" "loongarch64-linux" ];
    darwin = [ "aarch64-darwin" "x86_64-darwin" ];
    freebsd = [ "x86_64-freebsd" ];
    none = [ ];
    all = doubles.linux ++ doubles.darwin ++ doubles.freebsd;
    unix = doubles.all;
    x86_64 = builtins.filter (lib.strings.hasPrefix "x86_64-") doubles.all;
    x86 = doubles.x86_64 ++ [ "i686-linux" ];
    i686 = [ "i686-linux" ];
    aarch64 = builtins.filter (lib.strings.hasPrefix "aarch64-") doubles.all;
    arm = [ "armv5tel-linux" "armv6l-linux" "armv7l-linux" ];
  };

  # "x86_64-linux" and "aarch64-unknown-linux-musl" alike.
  parse = text:
    let
      words = lib.strings.splitString "-" text;
      count = builtins.length words;
      word = builtins.elemAt words;
      cpu = builtins.head words;
      rest =
        if count == 2 then { vendor = null; kernel = word 1; abi = null; }
        else if count == 3 && builtins.elem (word 1) [ "linux" "darwin" "freebsd" ] then
          { vendor = null; kernel = word 1; abi = word 2; }
        else if count == 3 then { vendor = word 1; kernel = word 2; abi = null; }
        else if count == 4 then { vendor = word 1; kernel = word 2; abi = word 3; }
        else throw "'${text}' is not a system: expected CPU-KERNEL, as in x86_64-linux";
    in
    if !(processors ? ${cpu}) then
      throw "unknown CPU '${cpu}' in system '${text}'; known are ${lib.strings.concatStringsSep ", " (builtins.attrNames processors)}"
    else
      { inherit cpu; } // rest;

  elaborate = given:
    let
      args =
        if builtins.isString given then { system = given; }
        else if given ? system || given ? config then given
        else throw "a platform needs `system` or `config`, as in { system = \"x86_64-linux\"; }";
      text = args.config or args.system;
      words = parse text;
      cpu = processors.${words.cpu};
      kernel = words.kernel;
      isDarwin = lib.strings.hasPrefix "darwin" kernel;
      abi = if words.abi != null then words.abi else if args ? libc && args.libc == "musl" then "musl${cpu.eabi or ""}" else "gnu${cpu.eabi or ""}";
      isLinux = kernel == "linux";
      platform = {
        system = "${words.cpu}-${kernel}";
        config =
          if isLinux then "${words.cpu}-unknown-linux-${abi}"
          else if isDarwin then "${if words.cpu == "aarch64" then "arm64" else words.cpu}-apple-darwin"
          else "${words.cpu}-unknown-${kernel}";
        parsed = {
          _type = "system";
          cpu = { name = words.cpu; } // removeAttrs cpu [ "go" "debian" "linuxArch" "eabi" "qemu" ];
          vendor.name = if isDarwin then "apple" else "unknown";
          kernel.name = kernel;
          abi.name = if isLinux then abi else "unknown";
        };

        inherit isLinux isDarwin;
        isFreeBSD = kernel == "freebsd";
        isUnix = true;
        isWindows = false;
        isCygwin = false;
        isMinGW = false;
        isWasm = false;
        isWasi = false;
        isGhcjs = false;
        isBSD = kernel == "freebsd" || isDarwin;
        isMacOS = isDarwin;
        isElf = !isDarwin;
        isMachO = isDarwin;
        isx86 = cpu.family == "x86";
        isx86_32 = cpu.family == "x86" && cpu.bits == 32;
        isx86_64 = cpu.family == "x86" && cpu.bits == 64;
        isi686 = words.cpu == "i686";
        isAarch = cpu.family == "arm";
        isAarch32 = cpu.family == "arm" && cpu.bits == 32;
        isAarch64 = cpu.family == "arm" && cpu.bits == 64;
        isRiscV = cpu.family == "riscv";
        isRiscV64 = cpu.family == "riscv" && cpu.bits == 64;
        isPower = cpu.family == "power";
        isPower64 = cpu.family == "power" && cpu.bits == 64;
        isS390x = words.cpu == "s390x";
        isMips = cpu.family == "mips";
        isLoongArch64 = words.cpu == "loongarch64";
        is32bit = cpu.bits == 32;
        is64bit = cpu.bits == 64;
        isLittleEndian = cpu.endian == "little";
        isBigEndian = cpu.endian == "big";
        isGnu = isLinux && lib.strings.hasPrefix "gnu" abi;
        isMusl = isLinux && lib.strings.hasPrefix "musl" abi;
        isStatic = args.isStatic or false;
        hasSharedLibraries = !(args.isStatic or false);

        libc = if isDarwin then "libSystem" else if lib.strings.hasPrefix "musl" abi then "musl" else "glibc";
        extensions = {
          executable = "";
          staticLibrary = ".a";
          sharedLibrary = if isDarwin then ".dylib" else ".so";
          library = if args.isStatic or false then ".a" else if isDarwin then ".dylib" else ".so";
        };
        uname = {
          system = if isDarwin then "Darwin" else "Linux";
          processor = if isDarwin && words.cpu == "aarch64" then "arm64" else words.cpu;
          release = null;
        };
        linuxArch = cpu.linuxArch;
        qemuArch = cpu.qemu;
        # What Debian calls it, and what Go and so the image formats call it.
        debianArch = cpu.debian;
        go = { GOARCH = cpu.go.arch; GOOS = kernel; GOARM = cpu.go.arm or ""; };
        canExecute = other:
          other.parsed.kernel.name == kernel
          && (other.parsed.cpu.name == words.cpu || (words.cpu == "x86_64" && builtins.elem other.parsed.cpu.name [ "i686" "i586" ]));
        emulator = _: throw "emulators are not in the offline package set; use the real nixpkgs (--nixpkgs) for this";
        emulatorAvailable = _: false;
        gcc = args.gcc or { };
        linux-kernel = { name = words.cpu; target = "Image"; };
      };
    in
    platform // removeAttrs args [ "system" "config" ];

  examples = import ./examples.nix;
in
{
  inherit doubles elaborate examples;
  flakeExposed = [ "x86_64-linux" "aarch64-linux" ];
  supported.hydra = doubles.linux;
  equals = a: b: a.config == b.config && a.isStatic == b.isStatic;
  toLosslessStringMaybe = platform: if builtins.isString platform then platform else platform.system or null;
  parse = {
    mkSystemFromString = text: (elaborate text).parsed;
    doubleFromSystem = parsed: "${parsed.cpu.name}-${parsed.kernel.name}";
  };
  inspect.patterns = {
    isLinux = { kernel.name = "linux"; };
    isx86_64 = { cpu.name = "x86_64"; };
    isAarch64 = { cpu.name = "aarch64"; };
  };
}
