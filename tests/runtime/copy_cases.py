"""Networks that change from one epoch to the next, and what a config says of copying: RETURNN and we run the same ones.

Parameters before the change are 1, 2, 3, … in their order, initial values of the network behind it -1, -2, -3, …: each
entry of the result tells where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from compiler.target.protocol import Array

__all__ = ["BEHAVIOR_VERSION", "CASES", "EXTERN_DATA", "CopyCase", "MakeDim", "initial_value", "old_value"]

Net: TypeAlias = dict[str, Any]
#: Makes a feature dim of a name and a size, as a config does.
MakeDim: TypeAlias = Callable[[str, int], Any]

BEHAVIOR_VERSION = 1
EXTERN_DATA = {"data": {"dim": 7}, "classes": {"dim": 5, "sparse": True}, "words": {"dim": 6, "sparse": True}}


@dataclass(frozen=True)
class CopyCase:
    """A change.

    Attributes:
        before: the network of the first epoch.
        after: that of the second.
        pretrain: options of the pretraining; None: ``get_network`` gives the networks.
        config: further keys of the config.
    """

    before: Net | Callable[[MakeDim], Net]
    after: Net | Callable[[MakeDim], Net]
    pretrain: Mapping[str, Any] | None = field(default_factory=lambda: {"copy_param_mode": "subset"})
    config: Mapping[str, Any] = field(default_factory=dict)

    def networks(self, make_dim: MakeDim) -> tuple[Net, Net]:
        """Both networks; their dims are made anew."""
        before, after = (net(make_dim) if callable(net) else net for net in (self.before, self.after))
        return before, after


def old_value(shape: tuple[int, ...]) -> Array:
    """Of a parameter before the change."""
    return np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)


def initial_value(shape: tuple[int, ...]) -> Array:
    """Of a parameter of the new network, before anything is copied."""
    return -old_value(shape)


def softmax(source: str | list[str], **options: Any) -> Net:
    """The output layer."""
    return {"class": "softmax", "loss": "ce", "target": "classes", "from": source, **options}


def linear(n_out: int, source: str | list[str], **options: Any) -> Net:
    """A layer."""
    return {"class": "linear", "activation": "tanh", "n_out": n_out, "from": source, **options}


def unit(name: str, n_out: int, source: str | list[str] = "data", **options: Any) -> Net:
    """A recurrent layer."""
    return {"class": "rec", "unit": name, "n_out": n_out, "from": source, **options}


def blstm(layers: int, n_out: int, **options: Any) -> Net:
    """A bidirectional LSTM, as pretraining makes it grow."""
    net: Net = {}
    source: str | list[str] = "data"
    for i in range(layers):
        net[f"fw{i}"] = unit("nativelstm2", n_out, source, direction=1, **options)
        net[f"bw{i}"] = unit("nativelstm2", n_out, source, direction=-1, **options)
        source = [f"fw{i}", f"bw{i}"]
    return {**net, "output": softmax(source)}


def units(n_out: int) -> Net:
    """One layer of each unit."""
    names = ("basiclstm", "basicrnn", "gru", "layernormvariantslstm", "lstmblock", "nativelstm", "nativelstm2",
             "nativelstmlowmem", "rhn", "standardlstm", "vanillalstm", "zoneoutlstm")  # fmt: skip
    net = {name: unit(name, n_out) for name in names}
    net["peepholes"] = unit("standardlstm", n_out, unit_opts={"use_peepholes": True})
    labels = unit("nativelstm2", n_out, "data:words", is_output_layer=True)
    return {**net, "labels": labels, "output": softmax([*net])}


def two_sources(first: int, second: int, source: str | list[str] = "", **further: Net) -> Net:
    """An output over two layers."""
    net = {"a": linear(first, "data"), "b": linear(second, "data"), **further}
    return {**net, "output": softmax(source or ["a", "b"])}


def copies(first: int, second: int) -> Net:
    """An output over copies of copies, and what else joins its sources."""
    return two_sources(
        first, second, ["c", "d", "e"],
        c={"class": "copy", "from": ["a", "b"]},
        d={"class": "dropout", "dropout": 0.1, "from": ["b", "c"]},
        e={"class": "eval", "eval": "source(0)", "from": "c"},
        f={"class": "batch_norm", "from": ["a", "a"], "is_output_layer": True},
        g=linear(3, "f", is_output_layer=True),
        h=linear(3, ["f", "e"], is_output_layer=True, use_transposed_weights=True),
        s={"class": "subnetwork", "from": ["a", "c"], "is_output_layer": True, "subnetwork": {
            "x": linear(2, ["data", "base:b"]), "output": linear(2, "x")}},
    )  # fmt: skip


def shared(first: int, second: int) -> Net:
    """Weights that two layers share, of which only the last one sees blocks in its input."""
    return two_sources(
        first, second, "e",
        c={"class": "copy", "from": ["a", "b"]},
        d={"class": "eval", "eval": "source(0)", "from": "c"},
        e=linear(first, "d"),
        f=linear(first, "c", reuse_params={"map": {"W": {"reuse_layer": "e"}, "b": None}}, is_output_layer=True),
        g=unit("nativelstm2", first, "d", is_output_layer=True),
        h=unit("nativelstm2", first, "c", reuse_params="g", is_output_layer=True),
    )  # fmt: skip


def decoder(n_out: int, keys: int) -> Net:
    """An attention decoder."""
    loop = {
        "output": {"class": "choice", "target": "classes", "beam_size": 2, "from": "prob", "initial_output": 0},
        "embed": linear(keys, "output", activation=None, initial_output=0),
        "query": linear(keys, "s", activation=None, with_bias=False),
        "sum": {"class": "combine", "kind": "add", "from": ["base:keys", "query"]},
        "energy": linear(1, "sum", with_bias=False),
        "weights": {"class": "softmax_over_spatial", "from": "energy"},
        "att": {"class": "generic_attention", "weights": "weights", "base": "base:encoder"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": n_out, "from": ["prev:embed", "prev:att"]},
        "lstm": unit("nativelstm2", n_out, ["prev:embed", "prev:att"]),
        "joined": {"class": "copy", "from": ["s", "att"]},
        "readout": linear(4, ["joined", "prev:embed", "lstm", "prev:joined"]),
        "prob": softmax("readout"),
    }
    return {
        **{k: v for k, v in blstm(1, n_out).items() if k != "output"},
        "encoder": {"class": "copy", "from": ["fw0", "bw0"]},
        "keys": linear(keys, "encoder", activation=None),
        "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 9, "unit": loop},
    }


def convolutions(filters: int, channels: int) -> Net:
    """Convolutions over time and features."""
    conv = {"class": "conv", "filter_size": (filters, 3), "padding": "same", "n_out": channels}
    return {
        "split": {"class": "split_dims", "axis": "F", "dims": (7, 1), "from": "data"},
        "c0": {**conv, "from": "split"},
        "c1": {**conv, "from": "c0", "n_out": channels + 1},
        "merged": {"class": "merge_dims", "axes": "static", "from": "c1"},
        "output": softmax("merged"),
    }


def attention(size: int, keys: int, heads: int = 2) -> Net:
    """Self-attention."""
    att = {"class": "self_attention", "num_heads": heads, "total_key_dim": keys, "n_out": size, "from": "in"}
    return {"in": linear(size, "data"), "att": att, "output": softmax("att")}


def transformer(size: int, keys: int, heads: int) -> Net:
    """Self-attention, and what belongs to it."""
    return {
        **attention(size, keys, heads),
        "norm": {"class": "layer_norm", "from": "att"},
        "ff": linear(2 * size, "norm"),
        "bn": {"class": "batch_norm", "from": "ff"},
        "output": softmax("bn"),
    }


def variables(first: int, second: int) -> Callable[[MakeDim], Net]:
    """Variables whose dims are computed of others."""

    def net(make_dim: MakeDim) -> Net:
        a, b = make_dim("a", first), make_dim("b", second)
        shapes = {"sum": [a + b], "more": [a, b + 2 * a], "product": [a * b], "one": [a + 1], "plain": [first, second]}
        return {
            **{n: {"class": "variable", "shape": s, "is_output_layer": True} for n, s in shapes.items()},
            "output": softmax("data"),
        }

    return net


def mode(name: str | None, **options: Any) -> dict[str, Any]:
    """Options of a pretraining."""
    return {"copy_param_mode": name, **options}


def importing(first: int, second: int) -> Net:
    """Layers that have copy modes of their own."""
    return two_sources(
        first, second, ["a", "b", "c", "d"],
        a=linear(first, "data", custom_param_importer="subset"),
        b=linear(second, "a", custom_param_importer="reset"),
        c=linear(3, "data", custom_param_importer="reset"),
        d=unit("nativelstm2", first, "b", custom_param_importer="subset"),
    )  # fmt: skip


def outputs(n_out: int) -> Net:
    """Layers with losses, and a loop with a trained state."""
    loop = {
        "lin": linear(n_out, ["data:source", "prev:output"]),
        "output": linear(n_out, "lin", initial_output="var"),
    }
    return {
        "a": linear(n_out, "data"),
        "side": softmax("a"),
        "output": {"class": "rec", "from": "a", "unit": loop},
        "obj": {"class": "activation", "activation": "identity", "from": "output", "loss": "as_is"},
    }


def named_output(n_out: int, **options: Any) -> Net:
    """An output layer by its name alone, before the one with the loss."""
    obj = {"class": "activation", "activation": "identity", "from": "output", "loss": "as_is"}
    return {"output": unit("nativelstm2", n_out, **options), "obj": obj}


GROWING = (two_sources(3, 4), two_sources(4, 6, l2=linear(2, "a", is_output_layer=True)))
OUTPUTS = (outputs(3), outputs(4))

CASES: dict[str, CopyCase] = {
    "blstm_deeper": CopyCase(blstm(2, 3), blstm(3, 3)),
    "blstm_wider": CopyCase(blstm(2, 6), blstm(2, 9)),
    "blstm_both": CopyCase(blstm(1, 3), blstm(2, 5)),
    "blstm_narrower": CopyCase(blstm(2, 5), blstm(2, 3)),
    "blstm_size_of_the_data": CopyCase(blstm(2, 4), blstm(2, 7)),
    "blstm_noise": CopyCase(blstm(1, 3), blstm(1, 4), config={"param_variational_noise": 0.1}),
    "attention_noise": CopyCase(attention(4, 2), attention(6, 6), config={"param_variational_noise": 0.1}),
    "variables_noise": CopyCase(variables(2, 3), variables(4, 5), config={"param_variational_noise": 0.1}),
    "two_sources_noise": CopyCase(two_sources(4, 3), two_sources(6, 5), config={"param_dropout": 0.1}),
    "dropped_weights": CopyCase(blstm(1, 3, param_dropout=0.1, param_dropout_min_ndim=2),
                                blstm(1, 4, param_dropout=0.1, param_dropout_min_ndim=2)),
    "units_wider": CopyCase(units(2), units(3)),
    "units_narrower": CopyCase(units(5), units(3)),
    "two_sources": CopyCase(two_sources(4, 3), two_sources(6, 5)),
    "two_sources_odd": CopyCase(two_sources(6, 3), two_sources(5, 4)),
    "two_equal_sources": CopyCase(two_sources(2, 2), two_sources(4, 4)),
    "copies": CopyCase(copies(2, 3), copies(4, 5)),
    "copies_same": CopyCase(copies(4, 5), copies(5, 4)),
    "shared": CopyCase(shared(2, 3), shared(4, 5)),
    "decoder": CopyCase(decoder(2, 3), decoder(4, 3)),
    "decoder_odd": CopyCase(decoder(3, 2), decoder(4, 4)),
    "convolutions": CopyCase(convolutions(3, 2), convolutions(5, 4)),
    "transformer": CopyCase(transformer(4, 2, 2), transformer(6, 6, 2)),
    "transformer_heads": CopyCase(transformer(4, 4, 2), transformer(6, 3, 3)),
    "variables": CopyCase(variables(2, 3), variables(4, 5)),
    "variables_narrower": CopyCase(variables(3, 5), variables(2, 3)),
    "ifpossible": CopyCase(*GROWING, mode("ifpossible")),
    "reset": CopyCase(*GROWING, mode("reset")),
    "no_mode": CopyCase(*GROWING, {}),
    "mode_of_the_network": CopyCase(GROWING[0], {**GROWING[1], "#copy_param_mode": "subset"}, mode("reset")),
    "get_network": CopyCase(*GROWING, None),
    "get_network_subset": CopyCase(GROWING[0], {**GROWING[1], "#copy_param_mode": "subset"}, None),
    "fewer_layers": CopyCase(GROWING[1], GROWING[0]),
    "importers": CopyCase(importing(3, 2), importing(4, 3), mode("ifpossible")),
    "no_output": CopyCase(*OUTPUTS, mode("subset", copy_output_layer=False)),
    "no_named_output": CopyCase(named_output(3), named_output(4), mode("subset", copy_output_layer=False)),
    "no_output_after_all": CopyCase(named_output(3), named_output(4, is_output_layer=False),
                                    mode("subset", copy_output_layer=False)),
    "reset_output": CopyCase(*OUTPUTS, mode(None, copy_output_layer="reset")),
    "output_ifpossible": CopyCase(*OUTPUTS, mode("subset", copy_output_layer="ifpossible")),
    "output_subset": CopyCase(*OUTPUTS, mode("ifpossible", copy_output_layer="subset")),
    "output_copied": CopyCase(*OUTPUTS, mode(None, copy_output_layer=True)),
    "reset_but_not_the_network": CopyCase(OUTPUTS[0], {**OUTPUTS[1], "#copy_param_mode": "subset"}, mode("reset")),
}  # fmt: skip
