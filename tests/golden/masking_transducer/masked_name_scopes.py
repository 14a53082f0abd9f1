# name_scope of masked_computation: empty, of several parts, inside of a loop; the unit and its layers get it
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "m": {"class": "compare", "kind": "not_equal", "value": 0, "from": "data:classes"},
    "a": {"class": "masked_computation", "name_scope": "", "mask": "m", "from": "data:classes", "unit": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data"}},
    "s": {"class": "masked_computation", "name_scope": "x/y", "mask": "m", "from": "data:classes", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
        "z": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data"}, "output": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "z"}}}},
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
        "lm": {"class": "masked_computation", "name_scope": "", "mask": "prev:emit", "from": "prev:output", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
            "embm": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
            "output": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "embm"}}}},
        "un": {"class": "unmask", "from": "lm", "mask": "prev:emit"},
        "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["un", "prev:s"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
    }},
}
case = {"lens": {"data": [3, 7, 1], "classes": [3, 7, 1]}, "inputs": {"classes": [[1, 0, 2, 0, 0, 0, 0], [0, 3, 1, 0, 2, 2, 1], [3, 0, 0, 0, 0, 0, 0]]}}
