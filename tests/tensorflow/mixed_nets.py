"""Networks of the kinds whose training mixed precision has to get through, as layers of a config."""

from __future__ import annotations

from typing import Any

Network = dict[str, dict[str, Any]]

__all__ = ["EXTERN_DATA", "NETWORKS", "Network"]

EXTERN_DATA: dict[str, Any] = {
    "data": {"dim": 6},
    "words": {"dim": 7, "sparse": True},
    "classes": {"dim": 5, "sparse": True},
}


def _out(source: str) -> Network:
    return {"output": {"class": "softmax", "loss": "ce", "target": "classes", "from": source}}


_FRAMES: Network = {
    "ff": {"class": "linear", "activation": "gelu", "n_out": 8, "from": "data"},
    "norm": {"class": "layer_norm", "from": "ff"},
    "res": {"class": "combine", "kind": "add", "from": ["norm", "ff"]},
    "batch": {"class": "batch_norm", "from": "res"},
    "rows": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "data:words"},
    "sum": {"class": "combine", "kind": "add", "from": ["batch", "rows"]},
    **_out("sum"),
}
_WINDOWS: Network = {
    "pairs": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "data"},
    "conv": {
        "class": "conv",
        "filter_size": (3, 3),
        "n_out": 4,
        "padding": "same",
        "activation": "relu",
        "in_spatial_dims": ["T", "dim:2"],
        "from": "pairs",
    },
    "pool": {"class": "pool", "mode": "max", "pool_size": (2, 2), "strides": (1, 1), "padding": "same", "from": "conv"},
    "flat": {"class": "merge_dims", "axes": ["dim:2", "F"], "from": "pool"},
    "line": {"class": "conv", "filter_size": (3,), "n_out": 6, "padding": "same", "groups": 2, "from": "flat"},
    **_out("line"),
}
_ATTENTION: Network = {
    "self": {"class": "self_attention", "num_heads": 2, "total_key_dim": 8, "n_out": 8, "from": "data"},
    "causal": {
        "class": "self_attention",
        "num_heads": 2,
        "total_key_dim": 8,
        "n_out": 8,
        "attention_left_only": True,
        "from": "self",
    },
    **_out("causal"),
}
_CELLS: Network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 6, "from": "data"},
    "gru": {"class": "rec", "unit": "gru", "n_out": 6, "from": "lstm"},
    **_out("gru"),
}
#: Attention in a loop, with a cell, a table, a sum over steps, and weights that every step uses.
_DECODER: Network = {
    "keys": {"class": "linear", "activation": None, "n_out": 6, "from": "data"},
    "output": {
        "class": "rec",
        "from": "data:classes",
        "unit": {
            "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data:source"},
            "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 6, "from": ["embed", "prev:att"]},
            "energy_in": {"class": "combine", "kind": "add", "from": ["base:keys", "s"]},
            "tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
            "energy": {"class": "linear", "activation": None, "n_out": 1, "from": "tanh"},
            "weights": {"class": "softmax_over_spatial", "from": "energy"},
            "att": {"class": "generic_attention", "weights": "weights", "base": "base:data:data"},
            "total": {"class": "eval", "eval": "source(0) + source(1)", "from": ["prev:total", "att"]},
            "prob": {"class": "softmax", "loss": "ce", "target": "classes", "from": ["s", "att", "total"]},
            "output": {"class": "copy", "from": "prob"},
        },
    },
}

NETWORKS: dict[str, Network] = {
    "frames": _FRAMES,
    "windows": _WINDOWS,
    "attention": _ATTENTION,
    "cells": _CELLS,
    "decoder": _DECODER,
}
