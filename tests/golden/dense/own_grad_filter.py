# gradients that are too large in a sequence are left out, in a layer with transposed weights, in a loop, behind a window
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "in": {"class": "linear", "from": "data", "n_out": 6, "activation": "tanh", "grad_filter": 0.002, "L2": 0.01},
    "loop": {"class": "rec", "from": "in", "unit": {
        "output": {"class": "linear", "from": ["data:source", "prev:output"], "n_out": 3, "activation": "sigmoid",
                   "grad_filter": 0.01}}},
    "win": {"class": "window", "from": "loop", "window_size": 2},
    "flat": {"class": "merge_dims", "from": "win", "axes": ["dim:2", "F"], "keep_order": True},
    "mid": {"class": "linear", "from": "flat", "n_out": 4, "activation": None, "use_transposed_weights": True, "grad_filter": 0.02},
    "output": {"class": "softmax", "from": "mid", "loss": "ce", "target": "classes", "grad_filter": 0.4},
}
case = {"lens": {"data": [5, 1, 3], "classes": [5, 1, 3]}, "time": 5}
