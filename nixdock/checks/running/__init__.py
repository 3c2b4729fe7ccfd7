"""Checks that need a container: starting it, asking it, and removing it whatever happens."""
