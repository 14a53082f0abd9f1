"""Nets of the sizes that people train, for the time from the dict to the first training step. Imports NumPy only.

The layers, sizes and dropouts are those of published setups: a hybrid acoustic model for Switchboard (six bidirectional
LSTM layers), an attention model for LibriSpeech (six more of twice the size, an LSTM decoder with attention feedback,
CTC as a second loss) and a Conformer of twelve blocks for Switchboard. The batch is a small one: what the first step
costs is that it is the first.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["REAL_NETS", "LayerDict", "Net", "RealNet", "conformer"]

LayerDict = dict[str, Any]
Net = dict[str, LayerDict]


@dataclass(frozen=True)
class RealNet:
    """A network and a small batch for it.

    Attributes:
        title: what the table calls it.
        network: the dict.
        inputs: size of a frame.
        classes: number of labels.
        framewise: whether there is a label for each frame; else `labels` of them per sequence.
        batch: sequences, all of the same length.
    """

    title: str
    network: Net
    inputs: int
    classes: int
    framewise: bool = True
    batch: int = 4
    frames: int = 50
    labels: int = 8
    learning_rate: float = 0.0005

    def options(self) -> dict[str, Any]:
        """The config."""
        return {
            "extern_data": {"data": {"dim": self.inputs}, "classes": {"dim": self.classes, "sparse": True}},
            "network": self.network,
            "optimizer": {"class": "adam", "epsilon": 1e-8},
            "learning_rate": self.learning_rate,
        }

    def config(self) -> str:
        """The same as a config file."""
        return "".join(f"{key} = {value!r}\n" for key, value in self.options().items())

    def arrays(self, *, ragged: bool = False) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.int32]]]:
        """By data key the values [batch, time, ...] and the lengths [batch].

        Args:
            ragged: all sequences but the first one are shorter, by half at most. Only with a label for each frame.
        """
        rng = np.random.default_rng(1)
        count = self.frames if self.framewise else self.labels
        frames = rng.standard_normal((self.batch, self.frames, self.inputs)).astype(np.float32)
        labels = rng.integers(1, self.classes - 1, (self.batch, count)).astype(np.int32)
        lengths = [np.full((self.batch,), n, np.int32) for n in (self.frames, count)]
        if ragged:
            for drawn in lengths:
                drawn[1:] = np.random.default_rng(3).integers(self.frames // 2, self.frames + 1, self.batch - 1)
        return {"data": (frames, lengths[0]), "classes": (labels, lengths[1])}

    def feed(self, names: Container[str]) -> dict[str, npt.NDArray[Any]]:
        """A ragged batch by the names of a program's inputs, those among `names`."""
        arrays = self.arrays(ragged=True)
        feed = {key: values for key, (values, _) in arrays.items()}
        feed |= {f"{key}/size1": lengths.astype(np.int64) for key, (_, lengths) in arrays.items()}
        return {name: array for name, array in feed.items() if name in names}


def _blstm(net: Net, name: str, units: int, source: list[str], **options: Any) -> list[str]:
    """Two directions; returns their names."""
    names = [f"{name}_fw", f"{name}_bw"]
    for layer, direction in zip(names, (1, -1), strict=True):
        net[layer] = {
            "class": "rec",
            "unit": "nativelstm2",
            "n_out": units,
            "direction": direction,
            "from": list(source),
            **options,
        }
    return names


def hybrid(layers: int = 6, units: int = 500) -> Net:
    """The acoustic model of a hybrid system."""
    net: Net = {}
    source = ["data"]
    for i in range(layers):
        source = _blstm(net, f"lstm{i}", units, source, dropout=0.1, L2=0.01)
    net["output"] = _framewise_loss(source)
    return net


def attention(layers: int = 6, units: int = 1024) -> Net:
    """An attention encoder-decoder."""
    net: Net = {}
    source = ["data"]
    for i in range(layers):
        source = _blstm(net, f"lstm{i}", units, source, **({"dropout": 0.3} if i else {}))
        if i < 2:
            net[f"lstm{i}_pool"] = {
                "class": "pool",
                "mode": "max",
                "padding": "same",
                "pool_size": (2,),
                "from": source,
            }
            source = [f"lstm{i}_pool"]
    net["encoder"] = {"class": "copy", "from": source}
    net["enc_ctx"] = {"class": "linear", "activation": None, "from": "encoder", "n_out": units}
    net["inv_fertility"] = _linear("encoder", 1, activation="sigmoid")
    net["enc_value"] = {"class": "split_dims", "axis": "F", "dims": (1, 2 * units), "from": "encoder"}
    net["output"] = {
        "class": "rec",
        "from": [],
        "unit": _decoder(units),
        "target": "classes",
        "max_seq_len": "max_len_from('base:encoder')",
    }
    ctc = {"loss": "ctc", "loss_opts": {"beam_width": 1, "ctc_opts": {"ignore_longer_outputs_than_inputs": True}}}
    net["ctc"] = {"class": "softmax", "from": "encoder", "target": "classes", **ctc}
    return net


def _linear(source: str, units: int, activation: str | None = None) -> LayerDict:
    return {"class": "linear", "activation": activation, "with_bias": False, "from": source, "n_out": units}


def _decoder(units: int) -> Net:
    smoothed = {"loss": "ce", "loss_opts": {"label_smoothing": 0.1}, "dropout": 0.3}
    return {
        "output": {"class": "choice", "target": "classes", "beam_size": 12, "from": "output_prob", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0},
        "target_embed": {**_linear("output", 621), "initial_output": 0},
        "weight_feedback": _linear("prev:accum_att_weights", units),
        "s_transformed": _linear("s", units),
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:enc_ctx", "weight_feedback", "s_transformed"]},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
        "energy": _linear("energy_tanh", 1),
        "att_weights": {"class": "softmax_over_spatial", "from": "energy"},
        "accum_att_weights": {
            "class": "eval",
            "from": ["prev:accum_att_weights", "att_weights", "base:inv_fertility"],
            "eval": "source(0) + source(1) * source(2) * 0.5",
            "out_type": {"dim": 1, "shape": (None, 1)},
        },
        "att0": {"class": "generic_attention", "weights": "att_weights", "base": "base:enc_value"},
        "att": {"class": "merge_dims", "axes": "except_batch", "from": "att0"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:target_embed", "prev:att"], "n_out": 1000},
        "readout_in": {"class": "linear", "from": ["s", "prev:target_embed", "att"], "activation": None, "n_out": 1000},
        "readout": {"class": "reduce_out", "mode": "max", "num_pieces": 2, "from": "readout_in"},
        "output_prob": {"class": "softmax", "from": "readout", "target": "classes", **smoothed},
    }


def conformer(blocks: int = 12, units: int = 512) -> Net:
    """A Conformer as a hybrid acoustic model, with two convolutions in front and a loss behind every fourth block."""
    net: Net = {"image": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": "data"}}
    source = "image"
    for i, channels in enumerate((32, 64)):
        conv = {"class": "conv", "filter_size": (3, 3), "padding": "same", "n_out": channels, "activation": "swish"}
        net[f"conv{i}"] = {**conv, "from": source}
        pool = {"class": "pool", "mode": "max", "padding": "same", "pool_size": (1, 2)}
        net[f"pool{i}"] = {**pool, "from": f"conv{i}"}
        source = f"pool{i}"
    net["merged"] = {"class": "merge_dims", "axes": "static", "from": source}
    net["source"] = _linear("merged", units)
    source = "source"
    for i in range(1, blocks + 1):
        source = _block(net, f"block{i:02}", source, units)
        if i % 4 == 0 and i < blocks:
            net[f"aux_mlp{i:02}"] = _linear(source, units)
            net[f"aux{i:02}"] = _framewise_loss(f"aux_mlp{i:02}", loss_scale=0.3)
    net["output"] = _framewise_loss(source)
    return net


def _framewise_loss(source: str | list[str], **options: Any) -> LayerDict:
    loss = {"loss": "ce", "loss_opts": {"focal_loss_factor": 2.0}, "target": "classes"}
    return {"class": "softmax", "from": source, **loss, **options}


def _block(net: Net, name: str, source: str, units: int) -> str:
    """Feed-forward, self-attention, convolution, feed-forward; returns the name of its last layer."""

    def add(part: str, before: str, layer_class: str, **options: Any) -> str:
        net[f"{name}_{part}"] = {"class": layer_class, "from": before, **options}
        return f"{name}_{part}"

    def linear(part: str, before: str, n_out: int) -> str:
        return add(part, before, "linear", activation=None, n_out=n_out)

    def residual(part: str, before: str, after: str) -> str:
        dropped = add(f"{part}_drop", after, "dropout", dropout=0.1)
        net[f"{name}_{part}_res"] = {"class": "combine", "kind": "add", "from": [dropped, before]}
        return f"{name}_{part}_res"

    def feed_forward(part: str, before: str) -> str:
        inner = linear(f"{part}_in", add(f"{part}_ln", before, "layer_norm"), 4 * units)
        inner = add(f"{part}_swish", inner, "activation", activation="swish")
        inner = linear(f"{part}_out", add(f"{part}_drop_in", inner, "dropout", dropout=0.1), units)
        half = add(f"{part}_half", inner, "eval", eval="0.5 * source(0)")
        return residual(part, before, half)

    source = feed_forward("ff1", source)
    normed = add("att_ln", source, "layer_norm")
    shift = add("att_pos", normed, "relative_positional_encoding", n_out=units // 8)
    heads = {"num_heads": 8, "n_out": units, "total_key_dim": units, "attention_dropout": 0.1, "key_shift": shift}
    source = residual("att", source, linear("att_out", add("att", normed, "self_attention", **heads), units))
    inner = linear("conv_in", add("conv_ln", source, "layer_norm"), 2 * units)
    inner = add("conv_glu", inner, "gating", activation="identity", gate_activation="sigmoid")
    depthwise = {"filter_size": (8,), "groups": units, "n_out": units, "padding": "same", "activation": None}
    inner = add("conv_bn", add("conv", inner, "conv", with_bias=True, **depthwise), "batch_norm")
    inner = linear("conv_out", add("conv_swish", inner, "activation", activation="swish"), units)
    source = feed_forward("ff2", residual("conv", source, inner))
    return add("ln", source, "layer_norm")


REAL_NETS: Mapping[str, RealNet] = {
    "hybrid": RealNet("BLSTM-500, 6 layers", hybrid(), inputs=40, classes=9001),
    "attention": RealNet("BLSTM-1024 attention", attention(), inputs=40, classes=10025, framewise=False),
    "conformer": RealNet("Conformer-512, 12 blocks", conformer(), inputs=40, classes=9001),
}
