"""The check file's format: reading it with positions, its shapes, and its JSON Schema."""
