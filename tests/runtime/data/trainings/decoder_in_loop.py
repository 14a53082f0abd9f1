#!rnn.py
"""The embedding of the last label stays in the loop."""

learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
gradient_clip_global_norm = 0.5
optimize_move_layers_out = False
extern_data = {"data": {"dim": 3}, "classes": {"dim": 6, "sparse": True}}
network = {
    "output": {
        "class": "rec", "from": "data", "target": "classes",
        "unit": {
            "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "prev:output"},
            "state": {
                "class": "linear", "activation": "tanh", "n_out": 3, "from": ["embed", "prev:state", "data:source"],
            },
            "prob": {"class": "softmax", "from": "state", "target": "classes", "loss": "ce"},
            "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 2, "initial_output": 0},
        },
    },
}  # fmt: skip
