# masked_from a sequence from outside, and the unit reads a layer of the loop too: that is reduced to the same frames by the mask
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "labels": {"dim": 4, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
        "avg": {"class": "reduce", "mode": "mean", "axis": "T", "from": "base:enc"}, "pemb": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "prev:output"},
        "att": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["avg", "pemb"]},
        "lm": {"class": "masked_computation", "mask": "prev:emit", "from": "prev:output", "masked_from": "base:data:labels", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
            "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
            "output": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": ["emb", "base:att"]}}}},
        "lm_un": {"class": "unmask", "mask": "prev:emit", "from": "lm"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["att", "lm_un"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
    }},
}
case = {"lens": {"data": [7, 4, 1], "classes": [7, 4, 1], "labels": [5, 3, 1]}, "inputs": {
  "classes": [[1, 0, 0, 2, 1, 0, 3], [0, 3, 1, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]],
  "labels": [[0, 1, 2, 1, 3], [0, 3, 1, 0, 0], [0, 0, 0, 0, 0]]}}
