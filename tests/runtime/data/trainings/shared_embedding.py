#!rnn.py
"""Two look-ups in one embedding, each with rows of its own in the global norm; a layer has an optimizer of its own."""

learning_rate = 0.1
optimizer = {"class": "nadam", "epsilon": 1e-3}
gradient_clip_global_norm = 0.5
extern_data = {
    "data": {"dim": 7, "sparse": True},
    "more": {"dim": 7, "sparse": True},
    "classes": {"dim": 5, "sparse": True, "shape": ()},
}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "again": {
        "class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data:more",
        "reuse_params": "embed",
    },
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "embed"},
    "mean_again": {"class": "reduce", "mode": "mean", "axis": "T", "from": "again"},
    "both": {"class": "combine", "kind": "add", "from": ["mean", "mean_again"]},
    "hidden": {
        "class": "linear", "activation": "tanh", "n_out": 3, "from": "both",
        "updater_opts": {"gradient_clip": 0.01, "optimizer": {"class": "adam"}},
    },
    "output": {"class": "softmax", "from": "hidden", "loss": "ce"},
}  # fmt: skip
