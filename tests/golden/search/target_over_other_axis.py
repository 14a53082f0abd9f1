# time-synchronous search with a target of other lengths, which says nothing but how many labels there are
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "emb"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    }},
}
case = {"search": True, "lens": {"data": [7, 4, 1], "classes": [5, 7, 2]}, "seed": 3, "param_scale": 1.0}
