# time-synchronous search with shorter targets, and the edit distance to them
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "emb"]},
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output"},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    }},
    "decide": {"class": "decide", "from": "output", "target": "classes", "loss": "edit_distance"},
}
case = {"search": True, "lens": {"data": [7, 4, 1], "classes": [3, 5, 2]}, "seed": 3, "param_scale": 1.0}
