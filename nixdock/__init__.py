"""From a `.nix` file to a checked Docker container, in one command."""

__version__ = "0.1.0"
