"""Composites: losses."""
