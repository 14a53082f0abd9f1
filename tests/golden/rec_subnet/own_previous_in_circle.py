# the window of an attention follows its own weights of the step before: the types of prev: hang together in a circle
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True, "available_for_inference": False}}
network = {
    "encoder": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "enc_ctx": {"class": "linear", "activation": None, "n_out": 3, "from": "encoder"},
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "p_t": {"class": "reduce", "mode": "argmax", "axis": "T", "from": "prev:att_weights0"},
        "s_transformed": {"class": "linear", "activation": None, "with_bias": False, "from": "s", "n_out": 3},
        "weight_feedback": {
            "class": "linear", "activation": None, "with_bias": False, "from": "prev:accum", "n_out": 3},
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:enc_ctx", "weight_feedback", "s_transformed"]},
        "energy": {"class": "linear", "activation": "tanh", "with_bias": False, "from": "energy_in", "n_out": 1},
        "energy0": {"class": "squeeze", "axis": "F", "from": "energy"},
        "att_weights0": {"class": "softmax_over_spatial", "from": "energy0", "window_start": "p_t", "window_size": 3},
        "att_weights": {"class": "expand_dims", "axis": "F", "from": "att_weights0"},
        "accum": {"class": "eval", "from": ["prev:accum", "att_weights"], "eval": "source(0) + source(1) * 0.5",
                  "out_type": {"dim": 1, "shape": (None, 1)}},
        "att": {"class": "generic_attention", "weights": "att_weights0", "base": "base:encoder"},
        "embed": {"class": "linear", "activation": None, "from": "output", "n_out": 2},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:embed", "prev:att"], "n_out": 3},
        "output_prob": {"class": "softmax", "from": ["s", "att"], "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "output_prob", "initial_output": 0},
    }},
}
case = {"train": True, "param_scale": 1.0}
