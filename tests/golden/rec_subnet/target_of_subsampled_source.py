# a time-synchronous loop over subsampled frames, with as many targets: the loss compares two axes of the same lengths
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "enc": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "data"},
    "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output"},
        "s": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "emb", "prev:s"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    }},
}
case = {"lens": {"data": [7, 4, 1], "classes": [4, 2, 1]}}
