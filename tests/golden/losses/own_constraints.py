# spatial_smoothing of batch-major and time-major outputs, beside L2
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 12, "from": "data", "spatial_smoothing": 0.2, "L2": 0.01},
    "rec": {"class": "rec", "unit": "nativelstm2", "n_out": 9, "from": "a", "spatial_smoothing": 0.5},
    "lin": {"class": "linear", "activation": None, "n_out": 5, "from": "rec"},
    "output": {"class": "softmax", "from": "lin", "loss": "ce", "target": "classes"},
}
case = {"lens": {"data": [4, 1, 6], "classes": [4, 1, 6]}, "train": True}
