# everything with a state inside of a masked_computation in a loop: cells, windows, sums, positions, self-attention
extern_data = {"data": {"dim": 3}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "pos": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"}, "m": {"class": "compare", "kind": "greater", "value": 0.0, "from": "pos", "initial_output": True},
    "x": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "u": {"class": "masked_computation", "mask": "m", "from": "x", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
        "p": {"class": "positional_encoding", "from": "data", "n_out": 4},
        "att": {"class": "self_attention", "num_heads": 1, "n_out": 2, "total_key_dim": 2, "attention_left_only": True, "from": "data"},
        "cs": {"class": "cumsum", "from": "data"},
        "win": {"class": "window", "window_size": 3, "window_right": 0, "from": "data"}, "flat": {"class": "merge_dims", "axes": "static", "from": "win"},
        "c1": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 2, "from": "data"}, "c2": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data", "initial_state": 1},
        "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["p", "att", "cs", "flat", "c1", "c2"]}}}},
    "un": {"class": "unmask", "mask": "m", "from": "u"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["un", "data:source", "prev:u"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
