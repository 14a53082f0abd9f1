"""Nodes that the CUDA provider refuses though it has a kernel: what cuDNN's units cannot do."""

from __future__ import annotations

from typing import Any

from compiler.onnx.placement.graph import NodeView

__all__ = ["refusal"]

#: What cuDNN's units apply, for two directions.
_ACTIVATIONS = {
    "LSTM": ("sigmoid", "tanh", "tanh") * 2,
    "GRU": ("sigmoid", "tanh") * 2,
    "RNN": ("tanh",) * 2,
}
_PEEPHOLES = 7


def refusal(node: NodeView) -> str | None:
    """Why a node that has a kernel runs on the CPU; None if it does not."""
    from onnx import helper

    held = {a.name: a for a in node.proto.attribute}
    if node.op in _ACTIVATIONS:
        return _of_unit(node, {name: helper.get_attribute_value(a) for name, a in held.items()})
    if node.op == "ConvTranspose":
        return _of_transposed(held)
    return None


def _of_unit(node: NodeView, attributes: dict[str, Any]) -> str | None:
    wanted = _ACTIVATIONS[node.op]
    given = tuple(name.decode().lower() for name in attributes.get("activations", ()))
    if "clip" in attributes:
        return f"{node.op} with clip has no CUDA kernel"
    if given != wanted[: len(given)] or {"activation_alpha", "activation_beta"} & attributes.keys():
        return f"{node.op} with these activations has no CUDA kernel"
    if node.op == "LSTM" and attributes.get("input_forget"):
        return "LSTM with input_forget has no CUDA kernel"
    if node.op == "LSTM" and any(place == _PEEPHOLES for place, _ in node.reads()):
        return "LSTM with peepholes has no CUDA kernel"
    if node.op == "GRU" and attributes.get("linear_before_reset", 0) != 1:
        return "GRU with linear_before_reset = 0 has no CUDA kernel"
    return None


def _of_transposed(attributes: dict[str, Any]) -> str | None:
    pads = list(attributes["pads"].ints) if "pads" in attributes else []
    if pads[: len(pads) // 2] != pads[len(pads) // 2 :]:
        return "ConvTranspose with other padding in front than behind has no CUDA kernel"
    if "auto_pad" in attributes and attributes["auto_pad"].s in (b"SAME_UPPER", b"SAME_LOWER"):
        return "ConvTranspose with automatic padding has no CUDA kernel"
    return None
