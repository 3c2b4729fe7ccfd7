# Version strings.
{ lib }:

let
  self = {
    splitVersion = builtins.splitVersion;
    major = v: builtins.elemAt (builtins.splitVersion v) 0;
    minor = v: builtins.elemAt (builtins.splitVersion v) 1;
    patch = v: builtins.elemAt (builtins.splitVersion v) 2;
    majorMinor = v: lib.strings.concatStringsSep "." (lib.lists.take 2 (builtins.splitVersion v));
    pad = n: version:
      let
        parts = builtins.match "([0-9.]*)(.*)" version;
        numbers = lib.strings.splitString "." (builtins.elemAt parts 0);
        zeros = builtins.genList (_: "0") (lib.trivial.max 0 (n - builtins.length numbers));
      in
      lib.strings.concatStringsSep "." (lib.lists.take n numbers ++ zeros) + builtins.elemAt parts 1;
  };
in
self
