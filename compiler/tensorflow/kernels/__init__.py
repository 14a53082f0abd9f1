"""Fused kernels for composites, made of plain TensorFlow ops."""
