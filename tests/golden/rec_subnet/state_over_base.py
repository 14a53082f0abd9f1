# a unit over the encoder's frames in each step of a loop begins with a state of that step
extern_data = {"data": {"dim": 3}, "other": {"dim": 3}}
network = {
    "enc": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "loop": {
        "class": "rec",
        "from": "data:other",
        "unit": {
            "h": {"class": "linear", "from": ["data:source", "prev:output"], "n_out": 4, "activation": "tanh"},
            "u": {"class": "rec", "unit": "gru", "from": "base:enc", "axis": "T", "n_out": 4, "state": "h"},
            "output": {"class": "get_last_hidden_state", "from": "u", "n_out": 4},
        },
    },
    "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"},
}
