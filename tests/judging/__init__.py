"""Nets in files: RETURNN records the numbers of each or refuses it, and our targets are compared with that."""
