"""container-structure-test files, run as they are: same keys, same Go semantics, same verdicts."""
