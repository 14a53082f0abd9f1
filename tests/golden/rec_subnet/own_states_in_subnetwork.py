# sums, windows, self-attention and prev in a subnetwork in a loop, switch by the step number
extern_data = {"data": {"dim": 3}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "even": {"class": "eval", "eval": "tf.equal(source(0) % 2, 0)", "from": ":i", "out_type": {"dtype": "bool"}},
    "x": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "sub": {"class": "subnetwork", "from": "x", "subnetwork": {
        "cs": {"class": "cumsum", "from": "data"}, "win": {"class": "window", "window_size": 2, "window_left": 1, "from": "prev:cs"}, "r": {"class": "reduce", "mode": "sum", "axes": "dim:2", "from": "win"},
        "att": {"class": "self_attention", "num_heads": 1, "n_out": 3, "total_key_dim": 2, "attention_left_only": True, "from": "base:x"},
        "output": {"class": "combine", "kind": "add", "from": ["r", "att"]}}},
    "sw": {"class": "switch", "condition": "even", "true_from": "sub", "false_from": "x"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "sw"}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
