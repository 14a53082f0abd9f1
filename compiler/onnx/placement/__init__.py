"""Where onnxruntime's CUDA provider puts the nodes of a model, and what is copied between host and device.

Told from a table of its kernels and its rules, so without a GPU. The table belongs to one version of onnxruntime.
"""

from __future__ import annotations

from compiler.onnx.placement.count import count_borders
from compiler.onnx.placement.placement import Copy, HostNode, Placement, Why

__all__ = ["Copy", "HostNode", "Placement", "Why", "count_borders"]
