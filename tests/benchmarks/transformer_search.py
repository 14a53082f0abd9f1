"""A Transformer encoder-decoder for the beam search, for every worker. Imports NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.benchmarks.attention import AttentionWorkload
from tests.benchmarks.encoders import transformer
from tests.benchmarks.real_nets import LayerDict, Net

__all__ = ["TransformerWorkload"]


@dataclass(frozen=True)
class TransformerWorkload(AttentionWorkload):
    """Sizes of the model and of the search, and the data of the attention model.

    Attributes:
        blocks: of the encoder, and of the decoder.
    """

    blocks: int = 6
    heads: int = 8
    behavior_version: int = 0
    sentences: int = 20
    frames: int = 20

    def network(self) -> dict[str, dict[str, Any]]:
        """The encoder without its posteriors, and a decoder of as many blocks, the norms in front."""
        net = transformer(self.blocks, self.units, self.heads)
        del net["output"]
        net["encoder"] = {"class": "copy", "from": "norm"}
        for i in range(1, self.blocks + 1):
            for part in ("key", "value"):
                net[f"dec{i}_{part}0"] = self._linear("encoder")
                net[f"dec{i}_{part}"] = self._heads(f"dec{i}_{part}0")
        net["output"] = {
            "class": "rec",
            "from": [],
            "unit": self._decoder(),
            "target": "classes",
            "max_seq_len": "max_len_from('base:encoder')",
        }
        net["decision"] = {"class": "decide", "from": "output", "is_output_layer": True}
        return net

    def _decoder(self) -> Net:
        net: Net = {"embedding": {**self._linear("prev:output"), "initial_output": 0}}
        source = "embedding"
        for i in range(1, self.blocks + 1):
            source = self._decoder_block(net, f"dec{i}", source)
        net["norm"] = {"class": "layer_norm", "from": source}
        net["output_prob"] = {"class": "softmax", "from": "norm", "target": "classes", "loss": "ce"}
        choice = {"target": "classes", "beam_size": self.beam_size, "initial_output": 0}
        net["output"] = {"class": "choice", "from": "output_prob", **choice}
        net["end"] = {"class": "compare", "from": "output", "value": 0}
        return net

    def _decoder_block(self, net: Net, name: str, source: str) -> str:
        """Attention over the labels so far, over the encoder, feed-forward; returns the name of the last layer."""

        def residual(part: str, before: str) -> str:
            net[f"{name}_{part}"] = {"class": "combine", "kind": "add", "from": [before, f"{name}_{part}_out"]}
            return f"{name}_{part}"

        sizes = {"num_heads": self.heads, "n_out": self.units, "total_key_dim": self.units}
        net[f"{name}_self_norm"] = {"class": "layer_norm", "from": source}
        net[f"{name}_self_heads"] = {
            "class": "self_attention",
            "from": f"{name}_self_norm",
            "attention_left_only": True,
            **sizes,
        }
        net[f"{name}_self_out"] = self._linear(f"{name}_self_heads")
        source = residual("self", source)
        net[f"{name}_att_norm"] = {"class": "layer_norm", "from": source}
        net[f"{name}_query0"] = self._linear(f"{name}_att_norm")
        net[f"{name}_query"] = self._heads(f"{name}_query0")
        net[f"{name}_energy"] = {
            "class": "dot",
            "from": [f"base:{name}_key", f"{name}_query"],
            "red1": -1,
            "red2": -1,
            "var1": "T",
            "var2": "T?",
        }
        scale = (self.units // self.heads) ** -0.5
        net[f"{name}_weights"] = {"class": "softmax_over_spatial", "from": f"{name}_energy", "energy_factor": scale}
        net[f"{name}_context"] = {
            "class": "generic_attention",
            "weights": f"{name}_weights",
            "base": f"base:{name}_value",
        }
        net[f"{name}_joined"] = {"class": "merge_dims", "axes": "static", "from": f"{name}_context"}
        net[f"{name}_att_out"] = self._linear(f"{name}_joined")
        source = residual("att", source)
        net[f"{name}_ff_norm"] = {"class": "layer_norm", "from": source}
        net[f"{name}_ff_in"] = {
            "class": "linear",
            "activation": "relu",
            "from": f"{name}_ff_norm",
            "n_out": 4 * self.units,
        }
        net[f"{name}_ff_out"] = self._linear(f"{name}_ff_in")
        return residual("ff", source)

    def _heads(self, source: str) -> LayerDict:
        return {"class": "split_dims", "axis": "F", "dims": (self.heads, self.units // self.heads), "from": source}
