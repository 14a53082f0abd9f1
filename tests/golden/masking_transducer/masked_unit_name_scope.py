# an empty name_scope of the unit itself: its layers are in the scope around the masked_computation
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "m": {"class": "compare", "kind": "not_equal", "value": 0, "from": "data:classes"},
    "u": {"class": "masked_computation", "mask": "m", "from": "data:classes", "unit": {"class": "subnetwork", "name_scope": "", "from": "data", "subnetwork": {
        "v": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data"}, "output": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "v"}}}},
    "output": {"class": "softmax", "from": "u", "n_out": 3},
}
