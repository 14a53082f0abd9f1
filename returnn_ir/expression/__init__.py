"""Expressions in a config (eval strings, small Python functions) turned into IR ops; no text is ever executed."""
