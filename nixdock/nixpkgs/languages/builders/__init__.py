"""What builds projects of a language, by that language's own tools; each module runs alone."""
