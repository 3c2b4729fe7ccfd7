"""The kinds of checks at work: each turns what it is asked and what it finds into findings."""
