"""Benchmarks against RETURNN and PyTorch; `make bench` runs them."""
