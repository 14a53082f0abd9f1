"""Composites: norms."""
