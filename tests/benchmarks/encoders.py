"""Encoders of attention and convolutions, for the forward pass and for a training step. Imports NumPy only.

PyTorch's counterparts are in `tests/benchmarks/torch_models.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.benchmarks.real_nets import LayerDict, Net, RealNet, conformer

__all__ = ["ENCODERS", "FORWARD_BATCHES", "TRAINING_BATCH", "TRAINING_FRAMES", "transformer"]

#: Sequences in a forward pass on a CPU, and what a training step there gets.
FORWARD_BATCHES = (1, 8)
TRAINING_BATCH, TRAINING_FRAMES = 4, 100


def transformer(blocks: int = 12, units: int = 512, heads: int = 8, dropout: float = 0.1) -> Net:
    """A Transformer encoder, norms in front; dropout behind each part, within it, and on the attention weights."""
    net: Net = {"in": {"class": "linear", "activation": None, "from": "data", "n_out": units}}
    source = "in"
    for i in range(1, blocks + 1):
        source = _block(net, f"block{i:02}", source, units, heads, dropout)
    net["norm"] = {"class": "layer_norm", "from": source}
    net["output"] = {"class": "softmax", "from": "norm", "loss": "ce", "target": "classes"}
    return net


def _block(net: Net, name: str, source: str, units: int, heads: int, dropout: float) -> str:
    """Self-attention and feed-forward; returns the name of the last layer."""

    def linear(before: str, n_out: int, activation: str | None = None) -> LayerDict:
        return {"class": "linear", "activation": activation, "from": before, "n_out": n_out}

    def residual(part: str, before: str) -> str:
        net[f"{name}_{part}_drop"] = {"class": "dropout", "from": f"{name}_{part}_out", "dropout": dropout}
        net[f"{name}_{part}"] = {"class": "combine", "kind": "add", "from": [before, f"{name}_{part}_drop"]}
        return f"{name}_{part}"

    sizes = {"num_heads": heads, "n_out": units, "total_key_dim": units, "attention_dropout": dropout}
    net[f"{name}_att_norm"] = {"class": "layer_norm", "from": source}
    net[f"{name}_heads"] = {"class": "self_attention", "from": f"{name}_att_norm", **sizes}
    net[f"{name}_att_out"] = linear(f"{name}_heads", units)
    source = residual("att", source)
    net[f"{name}_ff_norm"] = {"class": "layer_norm", "from": source}
    net[f"{name}_ff_in"] = linear(f"{name}_ff_norm", 4 * units, "relu")
    net[f"{name}_ff_out"] = {**linear(f"{name}_ff_in", units), "dropout": dropout}
    return residual("ff", source)


ENCODERS: Mapping[str, RealNet] = {
    "transformer": RealNet("Transformer 12x512", transformer(), inputs=40, classes=1000, frames=500),
    "conformer": RealNet("Conformer 12x512", conformer(), inputs=40, classes=1000, frames=500),
}
