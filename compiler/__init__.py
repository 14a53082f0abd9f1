"""The compiler: passes over the IR, and the targets reference, tf and onnx.

``compile(net, target="tf", mode="train")`` is the entry point.
"""

from __future__ import annotations

from compiler.program.program import Program
from compiler.program.program import compile_net as compile

__all__ = ["Program", "compile"]
