# rnn_cells in a circle, one of which begins with a layer of outside

behavior_version = 21
extern_data = {"data": {"dim": 3}}
network = {
    "loop": {
        "class": "rec",
        "from": "data",
        "unit": {
            "h": {"class": "rnn_cell", "unit": "BasicRNN", "from": ["data:source", "prev:h2"], "n_out": 4},
            "h2": {"class": "rnn_cell", "unit": "GRU", "from": "h", "n_out": 4, "initial_state": "base:h0"},
            "output": {"class": "copy", "from": "h2"},
        },
    },
    "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "h0": {"class": "linear", "from": "m", "n_out": 4, "activation": "tanh"},
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
