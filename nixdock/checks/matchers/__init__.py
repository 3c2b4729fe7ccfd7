"""Matchers: what a value must be like, and in which words to say that it is not."""
