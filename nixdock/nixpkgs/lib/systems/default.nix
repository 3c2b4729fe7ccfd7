# Platforms: what a system name such as "x86_64-linux" says of a machine.
{ lib }:

let
  inherit (import ./parse.nix { inherit lib; }) parse inspect;

  # What others call a processor: Debian (for Linux), the kernel, QEMU, Go.
  otherNames = {
    x86_64 = { debian = "amd64"; go = "amd64"; };
    i686 = { debian = "i386"; go = "386"; linux = "i386"; qemu = "i386"; };
    i586 = { go = "386"; linux = "i386"; qemu = "i386"; };
    aarch64 = { debian = "arm64"; go = "arm64"; linux = "arm64"; };
    armv5tel = { debian = "armel"; go = "arm"; linux = "arm"; qemu = "arm"; goarm = "5"; };
    armv6l = { debian = "armel"; go = "arm"; linux = "arm"; qemu = "arm"; goarm = "6"; };
    armv7a = { debian = "armhf"; go = "arm"; linux = "arm"; qemu = "arm"; goarm = "7"; };
    armv7l = { debian = "armhf"; go = "arm"; linux = "arm"; qemu = "arm"; goarm = "7"; };
    powerpc64le = { debian = "ppc64el"; go = "ppc64le"; linux = "powerpc"; qemu = "ppc64le"; };
    powerpc64 = { go = "ppc64"; linux = "powerpc"; qemu = "ppc64"; };
    powerpc = { linux = "powerpc"; qemu = "ppc"; };
    riscv64 = { debian = "riscv64"; go = "riscv64"; linux = "riscv"; };
    riscv32 = { linux = "riscv"; };
    s390x = { debian = "s390x"; go = "s390x"; linux = "s390"; };
    mips64el = { debian = "mips64el"; go = "mips64le"; linux = "mips"; };
    mipsel = { debian = "mipsel"; go = "mipsle"; linux = "mips"; };
    mips = { go = "mips"; linux = "mips"; };
    mips64 = { go = "mips64"; linux = "mips"; };
    loongarch64 = { debian = "loong64"; go = "loong64"; linux = "loongarch"; };
    wasm32 = { go = "wasm"; };
  };

  architectures = import ./architectures.nix { inherit lib; };
  # Named here so that the table is read by who asks for one.
  instructions = [
    "avxSupport" "avx2Support" "avx512Support" "sse3Support" "ssse3Support" "sse4_1Support" "sse4_2Support"
    "sse4_aSupport" "aesSupport" "fmaSupport" "fma4Support"
  ];

  systemToAttrs = given: if builtins.isAttrs given then given else { system = given; };

  elaborate = given:
    let
      args = systemToAttrs given;
      text = args.config or args.system or (throw "a platform needs `system` or `config`, as in { system = \"x86_64-linux\"; }");
      # A name wins over what was read of another one.
      parsed = if args ? config || args ? system then parse.mkSystemFromString text else args.parsed;
      cpu = final.parsed.cpu;
      kernel = final.parsed.kernel.name;
      names = otherNames.${cpu.name} or { };

      final = {
        inherit parsed;
        system = parse.doubleFromSystem final.parsed;
        config = parse.tripleFromSystem final.parsed;
        isStatic = final.isWasm || final.isRedox;
        hasSharedLibraries = !final.isStatic && (final.isUnix || final.isWindows || final.isCygwin || final.isGenode);

        libc =
          if final.isDarwin then "libSystem"
          else if final.isMinGW then "msvcrt"
          else if final.isMsvc then "ucrt"
          else if final.isWasi then "wasilibc"
          else if final.isMusl then "musl"
          else if final.isUClibc then "uclibc"
          else if final.isAndroid then "bionic"
          else if final.isLinux then "glibc"
          else if final.isFreeBSD then "fblibc"
          else if final.isNetBSD then "nblibc"
          else if final.isOpenBSD then "oblibc"
          else if final.isCygwin then "cygwin"
          else if final.isRedox then "relibc"
          else if final.isAvr then "avrlibc"
          else if final.isNone then "newlib"
          else "native/impure";
        linker = if final.isDarwin then "cctools" else if final.isElf || final.isWindows then "bfd" else "lld";
        extensions =
          let windows = final.isWindows || final.isCygwin;
          in
          lib.attrsets.optionalAttrs final.hasSharedLibraries
            { sharedLibrary = if final.isDarwin then ".dylib" else if windows then ".dll" else ".so"; } // {
            staticLibrary = if final.isMsvc then ".lib" else ".a";
            library = if final.isStatic then final.extensions.staticLibrary else final.extensions.sharedLibrary;
            executable = if windows then ".exe" else if final.isWasm then ".wasm" else "";
          };
        uname = {
          system = {
            linux = "Linux"; windows = "Windows"; darwin = "Darwin"; netbsd = "NetBSD"; freebsd = "FreeBSD";
            openbsd = "OpenBSD"; solaris = "SunOS"; wasi = "Wasi"; redox = "Redox"; genode = "Genode"; cygwin = "CYGWIN_NT";
          }.${kernel} or null;
          processor =
            if final.isPower64 then "ppc64${lib.strings.optionalString final.isLittleEndian "le"}"
            else if final.isPower then "ppc${lib.strings.optionalString final.isLittleEndian "le"}"
            else if final.isMips64 then "mips64"
            else if final.isDarwin && cpu.name == "aarch64" then "arm64"
            else cpu.name;
          release = null;
        };

        linuxArch = names.linux or cpu.name;
        qemuArch = names.qemu or cpu.name;
        efiArch = { i686 = "ia32"; x86_64 = "x64"; aarch64 = "aa64"; }.${cpu.name} or cpu.name;
        darwinArch = if cpu.name == "aarch64" then "arm64" else cpu.name;
        # What Debian calls it; there is no Debian of other kernels.
        debianArch = if final.isLinux then names.debian or cpu.name else final.system;
        go = {
          GOARCH = names.go or null;
          GOOS = if final.isWasi then "wasip1" else kernel;
          GOARM = names.goarm or "";
        };
        node = {
          platform = if final.isWindows then "win32" else if final.isSunOS then "sunos" else kernel;
          arch = { x86_64 = "x64"; i686 = "ia32"; aarch64 = "arm64"; powerpc64le = "ppc64"; mipsel = "mipsel"; }.${cpu.name}
            or (if final.isAarch32 then "arm" else cpu.name);
        };
        rust =
          let
            rustCpu = { riscv64 = "riscv64gc"; riscv32 = "riscv32gc"; armv7l = "armv7"; armv7a = "armv7"; armv6l = "arm"; }.${cpu.name} or cpu.name;
            vendor = if final.isWindows then "pc" else final.parsed.vendor.name;
            abi = final.parsed.abi.name;
            target =
              if final.isDarwin then "${cpu.name}-apple-darwin"
              else if final.isWasi then "${cpu.name}-wasip1"
              else "${rustCpu}-${vendor}-${kernel}${lib.strings.optionalString (abi != "unknown") "-${abi}"}";
          in
          {
            rustcTarget = args.rust.rustcTarget or target;
            rustcTargetSpec = final.rust.rustcTarget;
            cargoShortTarget = final.rust.rustcTarget;
            cargoEnvVarTarget = lib.strings.replaceStrings [ "-" ] [ "_" ] (lib.strings.toUpper final.rust.rustcTarget);
            isNoStdTarget = final.isNone;
            platform = {
              arch = if final.isAarch32 then "arm" else cpu.name;
              os = if final.isNone then "none" else kernel;
              target_family = if final.isUnix then [ "unix" ] else if final.isWindows then [ "windows" ] else [ ];
              vendor = vendor;
            };
          } // removeAttrs (args.rust or { }) [ "rustcTarget" ];

        isCompatible = _: throw "a platform's isCompatible is canExecute now";
        canExecute = other:
          final.isAndroid == other.isAndroid
          && parse.isCompatible cpu other.parsed.cpu
          && final.parsed.kernel == other.parsed.kernel;
        emulator = _: throw "emulators are not in the offline package set; use the real nixpkgs (--nixpkgs PATH) for this";
        emulatorAvailable = _: false;
        gcc = { };
        linux-kernel = {
          name = cpu.name;
          target = if final.isx86 then "bzImage" else "Image";
          autoModules = true;
        };
        useLLVM = false;
        useArocc = false;
        useZig = false;
        useAndroidPrebuilt = false;
        useiOSPrebuilt = false;
      }
      // builtins.mapAttrs (_: holds: holds final.parsed) inspect.predicates
      // lib.attrsets.genAttrs instructions (name: architectures.predicates.${name} (final.gcc.arch or "default"))
      # `config` stays as it was given; the system is always that of the config.
      // removeAttrs args [ "system" "parsed" "rust" ];
    in
    final;

  # Functions cannot be compared.
  comparable = lib.attrsets.filterAttrs (_: value: !(builtins.isFunction value));
  equals = a: b: comparable a == comparable b;
in
{
  inherit parse inspect architectures elaborate equals systemToAttrs;
  doubles = import ./doubles.nix { inherit lib; };
  examples = import ./examples.nix;
  platforms.select = _: { };

  # Those for which flakes of nixpkgs have packages.
  flakeExposed = [
    "x86_64-linux"
    "aarch64-linux"
    "x86_64-darwin"
    "armv6l-linux"
    "armv7l-linux"
    "i686-linux"
    "aarch64-darwin"
    "powerpc64le-linux"
    "riscv64-linux"
    "x86_64-freebsd"
  ];
  supported = { hydra = [ "aarch64-linux" "x86_64-linux" "x86_64-darwin" "i686-linux" "aarch64-darwin" ]; };

  # The name that makes the same platform again, or null where a name alone does not.
  toLosslessStringMaybe = platform:
    if builtins.isString platform then platform
    else if equals platform (elaborate platform.system) then platform.system
    else null;
}
