# a step counter without a batch in a beam search, in its scores and in when it ends
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True, "available_for_inference": False}}
network = {
    "enc": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "loop": {
        "class": "rec",
        "from": [],
        "target": "classes",
        "max_seq_len": 7,
        "unit": {
            "count": {"class": "eval", "from": "prev:count", "eval": "source(0) + 1", "initial_output": 0, "out_type": {"shape": (), "dtype": "int32", "batch_dim_axis": None, "time_dim_axis": None, "feature_dim_axis": None, "sparse": False, "dim": None}},
            "float": {"class": "cast", "dtype": "float32", "from": "count"},
            "embed": {"class": "linear", "from": "prev:output", "n_out": 4, "activation": None, "with_bias": False},
            "h": {"class": "linear", "from": ["embed", "prev:h"], "n_out": 4, "activation": "tanh", "initial_output": "base:mean"},
            "scaled": {"class": "eval", "from": ["h", "float"], "eval": "source(0) * source(1)"},
            "prob": {"class": "softmax", "from": "scaled", "n_out": 5},
            "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0},
            "eos": {"class": "compare", "kind": "equal", "from": "output", "value": 0},
            "late": {"class": "compare", "kind": "greater_equal", "from": "count", "value": 5},
            "end": {"class": "combine", "kind": "logical_or", "from": ["eos", "late"]},
        },
    },
    "output": {"class": "decide", "from": "loop", "target": "classes"},
}
case = {"train": False, "search": True, "param_scale": 1.0}
