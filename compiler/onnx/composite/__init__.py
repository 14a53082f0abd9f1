"""Composites that ONNX has fused operators for."""
