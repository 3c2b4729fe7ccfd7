# Systems, processors and licences: what names say, and what can be asked of them.
lib:

let
  elaborate = lib.systems.elaborate;
  sorted = lib.sort (a: b: a < b);
in
{
  testEveryDoubleIsReadAsItself = {
    expr = builtins.filter (double: (elaborate double).system != double) lib.platforms.all;
    expected = [ ];
  };
  testKindsAreAllOfThem = {
    expr = sorted (with lib.platforms; unix ++ wasi ++ windows ++ embedded ++ mmix ++ js ++ genode ++ uefi) == sorted lib.platforms.all;
    expected = true;
  };
  testByProcessor = {
    expr = [ lib.platforms.armv7 lib.platforms.redox (builtins.elem "s390x-linux" lib.platforms.bigEndian) ];
    expected = [ [ "armv7a-linux" "armv7l-linux" "armv7a-netbsd" "armv7l-netbsd" ] [ "x86_64-redox" ] true ];
  };
  testGivenConfigWins = {
    expr = let p = elaborate { config = "i686-unknown-linux-gnu"; system = "x86_64-linux"; }; in [ p.system p.config p.is32bit ];
    expected = [ "i686-linux" "i686-unknown-linux-gnu" true ];
  };
  testTwiceElaboratedIsTheSame = {
    expr = lib.systems.equals (elaborate (elaborate "aarch64-linux")) (elaborate "aarch64-linux");
    expected = true;
  };
  testLosslessNames = {
    expr = map lib.systems.toLosslessStringMaybe [ "x86_64-linux" (elaborate "i686-linux") (elaborate { system = "x86_64-linux"; isStatic = true; }) ];
    expected = [ "x86_64-linux" "i686-linux" null ];
  };
  testOddNames = {
    expr = map (name: let p = elaborate name; in [ p.system p.parsed.abi.name p.libc p.extensions.executable ])
      [ "x86_64-w64-mingw32" "arm-none-eabi" "arm64-apple-darwin" "wasm32-unknown-wasi" "x86_64-unknown-freebsd14" ];
    expected = [
      [ "x86_64-windows" "gnu" "msvcrt" ".exe" ]
      [ "arm-none" "eabi" "newlib" "" ]
      [ "aarch64-darwin" "unknown" "libSystem" "" ]
      [ "wasm32-wasi" "unknown" "wasilibc" ".wasm" ]
      [ "x86_64-freebsd14" "unknown" "fblibc" "" ]
    ];
  };
  testAmbiguousNamesAreRefused = {
    expr = map (name: (builtins.tryEval (elaborate name).system).success) [ "x86_64" "x86_64-plan9" "a-b-c-d-e" ];
    expected = [ false false false ];
  };
  testCanExecute = {
    expr = map (other: (elaborate "aarch64-linux").canExecute (elaborate other)) [ "aarch64-linux" "armv7l-linux" "x86_64-linux" "aarch64-darwin" ];
    expected = [ true true false false ];
  };
  testInstructions = {
    expr = let p = elaborate { system = "x86_64-linux"; gcc.arch = "znver3"; }; in
      [ p.avx2Support p.avx512Support (elaborate "x86_64-linux").avxSupport (lib.systems.architectures.predicates.canExecute "znver4" "x86-64-v3") ];
    expected = [ true false false true ];
  };
  testPlatformPatterns = {
    expr = let p = elaborate { system = "x86_64-linux"; isStatic = true; }; in
      map (lib.meta.platformMatch p) [ lib.systems.inspect.platformPatterns.isStatic lib.systems.inspect.platformPatterns.isDynamicLinux ];
    expected = [ true false ];
  };

  testCompoundLicences = {
    expr = with lib.licenses; map (license: [ license.spdxId license.free ]) [
      (OR [ mit unfree ])
      (AND [ mit unfree ])
      (WITH gpl2Only classpathException20)
      (OR [ mit (AND [ asl20 bsd3 ]) ])
    ];
    expected = [
      [ "MIT OR unfree" true ]
      [ "MIT AND unfree" false ]
      [ "GPL-2.0-only WITH Classpath-exception-2.0" true ]
      [ "MIT OR (Apache-2.0 AND BSD-3-Clause)" true ]
    ];
  };
  testEveryLicenceIsWhole = {
    expr = lib.filterAttrs (_: license: !lib.isFunction license && !(license ? fullName && license ? free && license.shortName != "")) lib.licenses;
    expected = { };
  };
}
