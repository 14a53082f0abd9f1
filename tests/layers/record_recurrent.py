"""Records what RETURNN takes for recurrent, for an environment that has RETURNN 1.

``python tests/layers/record_recurrent.py`` writes ``data/recurrent.json``: the classes of layers and losses, and small
networks with what RETURNN says of the whole and which data keys it reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["EXTERN_DATA", "NETS"]

DATA = Path(__file__).parent / "data" / "recurrent.json"
EXTERN_DATA = {
    "data": {"dim": 4},
    "classes": {"dim": 3, "sparse": True},
    "align": {"dim": 3, "sparse": True},
}
_OUTPUT = {"class": "softmax", "loss": "ce", "target": "classes", "from": "x"}
_CTC = {"class": "softmax", "loss": "ctc", "target": "classes", "from": "data", "n_out": 4}
_SPLIT = {"class": "split_dims", "from": "data", "axis": "F", "dims": (4, 1)}
#: Networks by name.
NETS: dict[str, dict[str, Any]] = {
    "linear": {"x": {"class": "linear", "n_out": 3, "from": "data", "activation": "relu"}, "output": _OUTPUT},
    "ctc": {"output": _CTC},
    "lstm": {"x": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"}, "output": _OUTPUT},
    "unused lstm": {
        "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
        "output": {**_OUTPUT, "from": "data"},
    },
    "conv": {
        "x": {"class": "conv", "n_out": 3, "filter_size": (3,), "padding": "same", "from": "data"},
        "output": _OUTPUT,
    },
    "add": {"x": {"class": "combine", "kind": "add", "from": ["data", "data"]}, "output": _OUTPUT},
    "eval": {"x": {"class": "eval", "eval": "source(0) + 1", "from": "data"}, "output": _OUTPUT},
    "combine eval": {
        "x": {"class": "combine", "kind": "eval", "eval": "source(0) + 1", "from": "data"},
        "output": _OUTPUT,
    },
    "softmax of features": {"x": {"class": "activation", "activation": "softmax", "from": "data"}, "output": _OUTPUT},
    "softmax of time": {
        "score": {"class": "linear", "n_out": 1, "from": "data"},
        "x": {"class": "softmax_over_spatial", "from": "score", "axis": "T"},
        "y": {"class": "dot", "from": ["x", "data"], "reduce": "T", "var1": "auto", "var2": "auto"},
        "output": {"class": "softmax", "from": "y", "loss": "as_is", "n_out": 3},
    },
    "softmax of a static axis": {
        "split": _SPLIT,
        "soft": {"class": "softmax_over_spatial", "from": "split", "axis": "dim:4"},
        "x": {"class": "merge_dims", "from": "soft", "axes": ["dim:4", "dim:1"]},
        "output": _OUTPUT,
    },
    "subnetwork": {
        "x": {
            "class": "subnetwork",
            "from": "data",
            "subnetwork": {"output": {"class": "linear", "n_out": 3, "from": "data"}},
        },
        "output": _OUTPUT,
    },
    "reduce": {
        "x": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
        "output": {"class": "linear", "from": "x", "n_out": 1, "loss": "as_is"},
    },
    "two losses": {
        "x": {"class": "linear", "n_out": 3, "from": "data", "loss": "mse", "target": "data", "with_bias": False},
        "output": {**_OUTPUT, "target": "align"},
    },
    "dropout": {"x": {"class": "dropout", "dropout": 0.1, "from": "data"}, "output": _OUTPUT},
    "shift": {"x": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "data"}, "output": _OUTPUT},
}
NETS["two losses"]["x"]["n_out"] = 4


def main() -> None:
    """Write the file."""
    import tensorflow as tf
    from returnn.config import Config
    from returnn.tf.layers import basic
    from returnn.tf.network import ExternData, TFNetwork

    tf.compat.v1.disable_eager_execution()
    layers = {name: bool(basic.get_layer_class(name).recurrent) for name in basic.get_layer_class_name_list()}
    basic.get_loss_class("ce")
    losses = {name: bool(loss.recurrent) for name, loss in sorted(basic._LossClassDict.items())}
    nets = {}
    for name, net in NETS.items():
        config = Config({"extern_data": EXTERN_DATA, "behavior_version": 12})
        with tf.Graph().as_default():
            extern_data = ExternData()
            extern_data.init_from_config(config, auto_create_placeholders=True)
            network = TFNetwork(config=config, extern_data=extern_data, train_flag=True)
            network.construct_from_dict(net)
            network.get_objective()
            nets[name] = {"recurrent": bool(network.recurrent), "used": sorted(network.get_used_data_keys())}
    found = {
        "layers": [name for name, recurrent in layers.items() if recurrent],
        "losses": [name for name, recurrent in losses.items() if recurrent],
        "nets": nets,
    }
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
