"""Composites: ops that keep a fusion alive. Each has attributes and a body in primitives, which is its meaning."""
