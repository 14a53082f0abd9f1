# behaviour version 0: defaults of old configs, no from, softmax without n_out, combine of unequal ranks
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [4, 2, 1], "classes": [4, 2, 1]}}
network = {
 "a": {"class": "hidden", "n_out": 3, "activation": "tanh"}, "b": {"class": "forward", "n_out": 3}, "c": {"class": "linear", "n_out": 3},
 "m": {"class": "reduce", "mode": "mean", "axes": "T", "from": ["a"]}, "k": {"class": "combine", "kind": "add", "from": ["a", "m"]}, "k2": {"class": "combine", "kind": "add", "from": ["m", "a"]},
 "cv": {"class": "conv", "n_out": 2, "filter_size": (3,), "padding": "same"}, "w": {"class": "window", "window_size": 3}, "bn": {"class": "batch_norm", "from": "a"}, "r": {"class": "rec", "unit": "lstm", "n_out": 3}, "do": {"class": "dropout", "dropout": 0.5}, "act": {"class": "activation", "activation": "relu"}, "sl": {"class": "slice", "axis": "F", "slice_start": 1}, "rd": {"class": "reduce", "mode": "max", "axes": 1, "from": "data"}, "rdn": {"class": "reduce", "mode": "max", "axes": -1, "from": "data"}, "sm": {"class": "softmax_over_spatial", "from": "data"},
 "output": {"class": "softmax", "loss": "ce", "from": ["k", "cv"]},
}
