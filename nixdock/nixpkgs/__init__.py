"""The offline package set: what `<nixpkgs>` is where the machine has none.

Mostly Nix. The Python below it runs in Nix's sandbox too, so it imports nothing but the standard library;
but for that of `assembly`, which puts the set together and is not copied into it.
"""
