# states without a batch axis: a counter, a decaying factor and a flag, used with values that have one
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "output": {
        "class": "rec",
        "from": "data",
        "target": "classes",
        "unit": {
            "count": {
                "class": "eval",
                "from": "prev:count",
                "eval": "source(0) + 1",
                "initial_output": 0,
                "out_type": {"shape": (), "dtype": "int32", "batch_dim_axis": None, "time_dim_axis": None, "feature_dim_axis": None, "sparse": False, "dim": None},
            },
            "factor": {"class": "eval", "from": "prev:factor", "eval": "source(0) * 0.7", "initial_output": 1.0},
            "late": {"class": "compare", "kind": "greater", "from": "count", "value": 2},
            "flag": {
                "class": "eval",
                "eval": "tf.logical_or(source(0), source(1))",
                "from": ["prev:flag", "late"],
                "initial_output": False,
                "out_type": {"dtype": "bool"},
            },
            "h": {"class": "linear", "from": ["data:source", "prev:h"], "n_out": 5, "activation": "tanh"},
            "decayed": {"class": "combine", "kind": "mul", "from": ["h", "factor"]},
            "kept": {"class": "switch", "condition": "flag", "true_from": "decayed", "false_from": "h"},
            "float": {"class": "cast", "dtype": "float32", "from": "count"},
            "avg": {"class": "eval", "from": ["kept", "float"], "eval": "source(0) / source(1)"},
            "output": {"class": "softmax", "from": "avg", "n_out": 4, "loss": "ce", "target": "classes"},
        },
    }
}
case = {"train": True, "search": False, "lens": {"data": [5, 1, 3], "classes": [5, 1, 3]}}
