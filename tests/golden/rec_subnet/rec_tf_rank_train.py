# layers that are outputs of their loop, nothing in it recurrent and nothing moved out
extern_data = {"data": {"dim": 2}, "classes": {"dim": 3, "sparse": True}}
network = {
    "loop": {
        "class": "rec",
        "from": "data",
        "target": "classes",
        "optimize_move_layers_out": False,
        "unit": {
            "layer1": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data:source", "is_output_layer": True},
            "output": {"class": "combine", "kind": "add", "from": ["layer1", "layer1"]},
        },
    },
    "seen": {"class": "combine", "kind": "mul", "from": ["loop/layer1", "loop"]},
    "output": {"class": "softmax", "from": "seen", "n_out": 3, "loss": "ce", "target": "classes"},
}
case = {"train": True, "search": False, "lens": {"data": [4, 1, 6], "classes": [4, 1, 6]}}
