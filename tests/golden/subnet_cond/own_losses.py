# losses in nested subnetworks: names, targets from outside, from a layer inside, an unused branch with a loss
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "other": {"dim": 5, "sparse": True}}
network = {
    "h": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "sub": {"class": "subnetwork", "from": "h", "subnetwork": {
        "p": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_scale": 0.5},
        "best": {"class": "reduce", "mode": "argmax", "axes": "F", "from": "base:ref"},
        "inner": {"class": "subnetwork", "from": ["p", "data"], "subnetwork": {
            "q": {"class": "softmax", "from": "data", "loss": "ce", "target": "other"},
            "r": {"class": "softmax", "from": "data", "loss": "ce", "target": "layer:base:best", "n_out": 6},
            "output": {"class": "linear", "activation": None, "n_out": 2, "from": "q"}}},
        "output": {"class": "copy", "from": "inner"}}},
    "ref": {"class": "softmax", "n_out": 6, "from": "data"},
    "output": {"class": "softmax", "from": ["sub", "sub/inner/q"], "loss": "ce", "target": "classes"},
}
case = {"lens": {"data": [4, 1, 6], "classes": [4, 1, 6], "other": [4, 1, 6]}}
