"""The connection to an engine: which one, how it is spoken to, and what it answers."""
