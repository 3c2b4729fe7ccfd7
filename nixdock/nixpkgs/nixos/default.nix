# What an expression that makes a NixOS system finds here.
_:
throw ("the offline package set has no NixOS: its packages are Debian's, and no module is about them; "
  + "lib.evalModules evaluates modules of your own, the real nixpkgs makes systems (--nixpkgs PATH)")
