# back_prop False: no gradient through what stays in the loop, but through the layers that RETURNN moves out of it

extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "in": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"},
    "loop": {
        "class": "rec",
        "from": "in",
        "back_prop": False,
        "unit": {
            "before": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data:source"},
            "s": {"class": "linear", "n_out": 5, "activation": "tanh", "from": ["before", "prev:s"]},
            "inside": {
                "class": "softmax", "n_out": 4, "from": "s", "loss": "ce", "target": "classes", "loss_scale": 0.5,
            },
            "p": {"class": "linear", "n_out": 1, "activation": None, "from": ["inside", "prev:p"], "is_output_layer": True, "loss": "as_is", "loss_scale": 0.1},
            "skip": {"class": "combine", "kind": "add", "from": ["s2", "b2"]},
            "s2": {"class": "linear", "n_out": 4, "activation": None, "from": "s"},
            "b2": {"class": "linear", "n_out": 4, "activation": None, "from": "before"},
            "output": {"class": "activation", "activation": "tanh", "from": "skip"},
        },
    },
    "output": {"class": "softmax", "n_out": 4, "from": "loop", "loss": "ce", "target": "classes"},
}
case = {"train": True, "seed": 61, "batch": 2, "time": 4}
