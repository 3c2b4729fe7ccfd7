"""The one door to the Nix programs: what to build, how to ask Nix for it, and what came out of it.

Nix 2.8 (Debian 12) up to today's is supported. Everything that needs an experimental feature of it
(flakes, `show-config`) enables that for its own call alone.
"""
