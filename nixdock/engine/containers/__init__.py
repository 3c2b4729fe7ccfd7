"""Containers and what they are asked for, from their creation to their removal."""
