# the shape layers in training mode, behaviour version 21
behavior_version = 21
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {"p": {"class": "pad", "axes": "T", "padding": (1, 1), "value": 0.5, "from": "data"},
           "w": {"class": "window", "window_size": 3, "axis": "T", "from": "p"},
           "m": {"class": "merge_dims", "axes": ["stag:w:window", "F"], "from": "w"},
           "l": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "m"},
           "sl": {"class": "slice", "axis": "T", "slice_start": 1, "slice_end": -1, "from": "l"},
           "s": {"class": "reinterpret_data", "size_base": "data:classes", "from": "sl"},
           "output": {"class": "softmax", "from": "s", "loss": "ce", "target": "classes"}}
case = {"train": True}
