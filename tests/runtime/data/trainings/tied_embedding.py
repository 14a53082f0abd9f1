#!rnn.py
"""An embedding that is the output's matrix, too, and looked up twice: its gradient is dense."""

learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
gradient_clip_global_norm = 0.5
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 7, "sparse": True}}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "embed"},
    "again": {
        "class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data",
        "reuse_params": "embed",
    },
    "both": {"class": "combine", "kind": "mul", "from": ["hidden", "again"]},
    "output": {
        "class": "softmax", "from": "both", "loss": "ce", "use_transposed_weights": True, "with_bias": False,
        "reuse_params": {"map": {"W": {"reuse_layer": "embed"}}},
    },
}  # fmt: skip
