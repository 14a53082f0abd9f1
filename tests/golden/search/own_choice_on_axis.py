# a choice of positions on the encoder's axis, which was made the feature axis: hard attention
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True, "available_for_inference": False}}
network = {
    "encoder": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "enc_ctx": {"class": "linear", "activation": None, "n_out": 3, "from": "encoder"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 4, "unit": {
        "query": {"class": "linear", "activation": None, "with_bias": False, "from": "s", "n_out": 3},
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:enc_ctx", "query"]},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
        "energy": {"class": "linear", "activation": None, "with_bias": False, "from": "energy_tanh", "n_out": 1},
        "energy1": {"class": "squeeze", "axis": "F", "from": "energy"},
        "att_weights": {"class": "softmax_over_spatial", "from": "energy1"},
        "att_weights1": {"class": "reinterpret_data", "from": "att_weights", "set_axes": {"F": "T"}},
        "t": {"class": "choice", "from": "att_weights1", "beam_size": 3, "target": None, "length_normalization": False,
              "initial_output": 0},
        "att": {"class": "gather_nd", "position": "t", "from": "base:encoder"},
        "embed": {"class": "linear", "activation": None, "from": "output", "n_out": 2},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:embed", "prev:att"], "n_out": 3},
        "output_prob": {"class": "softmax", "from": ["s", "att"], "target": "classes"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "output_prob", "initial_output": 0,
                   "length_normalization": False},
        "end": {"class": "compare", "from": "output", "value": 0},
    }},
    "decision": {"class": "decide", "from": "output"},
}
case = {"search": True, "param_scale": 1.0, "lens": {"data": [7, 5, 4]}}
