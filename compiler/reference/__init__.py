"""The reference target: every op in plain NumPy. Slow, obvious, and the definition of what an op means."""
