# batch_norm in a loop, in training: what does not need its own past is normalized over all frames, also in a nested network
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": [], "target": "classes", "unit": {
    "output": {"class": "choice", "from": "prob", "beam_size": 2, "target": "classes", "initial_output": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output", "batch_norm": True}, "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["emb", "prev:t"]}, "t": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "s"},
    "sub": {"class": "subnetwork", "from": "t", "subnetwork": {"l": {"class": "linear", "activation": "relu", "n_out": 3, "from": "data", "batch_norm": True}, "bn": {"class": "batch_norm", "from": "l"}, "output": {"class": "linear", "activation": None, "n_out": 3, "from": "bn"}}},
    "prob": {"class": "softmax", "from": "sub", "target": "classes", "loss": "ce"}}}}
case = {"train": True, "batch": 5, "lens": {"data": [7, 5, 4, 6, 1], "classes": [7, 5, 4, 6, 1]}}
