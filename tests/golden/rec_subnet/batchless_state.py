# a state with parameters that no sequence has a part in: an axis of features and no batch
extern_data = {"data": {"dim": 3}}
network = {
    "loop": {
        "class": "rec",
        "from": "data",
        "unit": {
            "code": {"class": "linear", "from": "prev:code", "n_out": 3, "activation": "tanh", "bias_init": 0.5},
            "label": {
                "class": "eval",
                "from": "prev:label",
                "eval": "tf.cast(tf.math.floormod(source(0) + 2, 5), tf.int32)",
                "initial_output": 0,
                "out_type": {"dim": 5, "sparse": True, "dtype": "int32"},
            },
            "embed": {"class": "linear", "from": "label", "n_out": 3, "activation": None, "with_bias": False},
            "both": {"class": "combine", "kind": "mul", "from": ["code", "embed"]},
            "output": {"class": "combine", "kind": "add", "from": ["data:source", "both"]},
        },
    },
    "output": {"class": "linear", "from": "loop", "n_out": 2, "activation": "sigmoid", "loss": "as_is"},
}
case = {"train": True, "search": False}
