# What gcc's names of processors (-march) say that they can, and on which others' programs run.
{ lib }:

let
  sse = [ "sse3" "ssse3" "sse4_1" "sse4_2" "aes" ];
  avx2 = sse ++ [ "avx" "avx2" "fma" ];
  avx512 = avx2 ++ [ "avx512" ];
  v2 = [ "sse3" "ssse3" "sse4_1" "sse4_2" ];

  features = {
    default = [ ];
    x86-64 = [ ];
    x86-64-v2 = v2;
    x86-64-v3 = v2 ++ [ "avx" "avx2" "fma" ];
    x86-64-v4 = v2 ++ [ "avx" "avx2" "avx512" "fma" ];
    nehalem = v2;
    westmere = sse;
    silvermont = sse;
    sandybridge = sse ++ [ "avx" ];
    ivybridge = sse ++ [ "avx" ];
    haswell = avx2;
    broadwell = avx2;
    skylake = avx2;
    skylake-avx512 = avx512;
    cannonlake = avx512;
    icelake-client = avx512;
    icelake-server = avx512;
    cascadelake = avx512;
    cooperlake = avx512;
    tigerlake = avx512;
    sapphirerapids = avx512;
    alderlake = avx2;
    btver1 = [ "sse3" "ssse3" "sse4a" ];
    btver2 = sse ++ [ "avx" "sse4a" ];
    bdver1 = sse ++ [ "avx" "fma4" "sse4a" ];
    bdver2 = sse ++ [ "avx" "fma" "fma4" "sse4a" ];
    bdver3 = sse ++ [ "avx" "fma" "fma4" "sse4a" ];
    bdver4 = sse ++ [ "avx" "avx2" "fma" "fma4" "sse4a" ];
    znver1 = avx2 ++ [ "sse4a" ];
    znver2 = avx2 ++ [ "sse4a" ];
    znver3 = avx2 ++ [ "sse4a" ];
    znver4 = avx512 ++ [ "sse4a" ];
    znver5 = avx512 ++ [ "sse4a" ];
    armv8-a = [ ];
    armv8_2-a = [ ];
    native = [ ];
  };

  # The ones right below; programs for all below those run, too.
  below = {
    x86-64-v2 = [ "x86-64" ];
    x86-64-v3 = [ "x86-64-v2" ];
    x86-64-v4 = [ "x86-64-v3" ];
    nehalem = [ "x86-64-v2" ];
    westmere = [ "nehalem" ];
    sandybridge = [ "westmere" ];
    ivybridge = [ "sandybridge" ];
    haswell = [ "ivybridge" "x86-64-v3" ];
    broadwell = [ "haswell" ];
    skylake = [ "broadwell" ];
    alderlake = [ "skylake" ];
    skylake-avx512 = [ "skylake" "x86-64-v4" ];
    cannonlake = [ "skylake-avx512" ];
    icelake-client = [ "cannonlake" ];
    icelake-server = [ "icelake-client" ];
    cascadelake = [ "cannonlake" ];
    cooperlake = [ "cascadelake" ];
    tigerlake = [ "icelake-server" ];
    sapphirerapids = [ "tigerlake" ];
    btver2 = [ "x86-64-v2" ];
    bdver1 = [ "x86-64-v2" ];
    bdver2 = [ "bdver1" ];
    bdver3 = [ "bdver2" ];
    bdver4 = [ "bdver3" ];
    znver1 = [ "x86-64-v3" ];
    znver2 = [ "znver1" ];
    znver3 = [ "znver2" ];
    znver4 = [ "znver3" "x86-64-v4" ];
    znver5 = [ "znver4" ];
  };
  inferiorsOf = name: lib.lists.unique (builtins.concatMap (one: [ one ] ++ inferiorsOf one) (below.${name} or [ ]));

  feature = name: arch: builtins.elem name (features.${arch} or [ ]);
in
{
  inherit features;
  inferiors = builtins.mapAttrs (name: _: inferiorsOf name) features;
  predicates = {
    canExecute = own: other: own == other || builtins.elem other (inferiorsOf own);
    hasInferiors = arch: inferiorsOf arch != [ ];
    avxSupport = feature "avx";
    avx2Support = feature "avx2";
    avx512Support = feature "avx512";
    sse3Support = feature "sse3";
    ssse3Support = feature "ssse3";
    sse4_1Support = feature "sse4_1";
    sse4_2Support = feature "sse4_2";
    sse4_aSupport = feature "sse4a";
    aesSupport = feature "aes";
    fmaSupport = feature "fma";
    fma4Support = feature "fma4";
  };
}
