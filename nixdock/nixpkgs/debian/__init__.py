"""The base of the offline package set: from Debian's index to store paths."""
