"""Readers of the forms in which an image comes: each gives images of layers that can be opened again."""
