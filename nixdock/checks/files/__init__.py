"""The files of an image, read from its layers: an index built once, and no engine."""
