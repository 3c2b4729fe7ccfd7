"""The programs that turn Debian packages into store paths.

They run inside Nix's sandbox by the builder's own Python, without the rest of nixdock: standard library
only, and imports of each other only.
"""
