"""Expectations and the checking of them: what must hold of an image, and whether it does."""
