# losses on shapes: binary, dense targets, no time, sequence level, sparse one of time-major outputs, out of activations
extern_data = {"data": {"dim": 4}, "cls": {"dim": 3, "sparse": True}, "seq": {"shape": (), "dim": 5, "sparse": True}, "vec": {"shape": (2,), "dim": 2}, "dense": {"dim": 3}, "one": {"dim": 1, "shape": (None, 1)}}
case = {"time": 5, "lens": {k: [5, 1, 3] for k in ["data", "cls", "dense", "one"]}, "inputs": {"dense": [[[.2, .3, .5]] * 5] * 3, "one": [[[1.]] * 3 + [[0.]] * 2] * 3}}
network = {
 "r": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
 "o1": {"class": "softmax", "from": "r", "loss": "ce", "target": "cls", "loss_opts": {"label_smoothing": 0.1, "focal_loss_factor": 1.5}},
 "o2": {"class": "softmax", "from": "r", "loss": "ce", "target": "dense"},
 "o3": {"class": "linear", "activation": "log_softmax", "n_out": 3, "from": "r"},
 "m": {"class": "reduce", "mode": "mean", "axes": "T", "from": "r"},
 "o4": {"class": "softmax", "from": "m", "loss": "ce", "target": "seq"},
 "o5": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "m", "loss": "mse", "target": "vec", "loss_scale": 3},
 "o6": {"class": "linear", "activation": None, "n_out": 1, "from": "r", "loss": "mse", "target": "one"},
 "o7": {"class": "linear", "activation": "sigmoid", "n_out": 1, "from": "r", "loss": "bin_ce", "target": "one"},
 "o8": {"class": "linear", "activation": None, "n_out": 3, "from": "r", "loss": "mean_l1", "target": "dense"},
 "a": {"class": "activation", "activation": "softmax", "from": "lg", "loss": "ce", "target": "cls", "loss_opts": {"focal_loss_factor": 2.0}},
 "lg": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
 "c": {"class": "copy", "from": "o1", "loss": "ce", "target": "cls", "loss_scale": 0.5},
 "d": {"class": "combine", "kind": "add", "from": ["o8", "o8"], "loss": "mean_l1", "target": "dense", "loss_scale": 0.25},
 "e": {"class": "eval", "eval": "source(0) * 2", "from": "o1", "loss": "as_is", "loss_opts": {"scale": 0.5}},
 "e2": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "r", "loss": "as_is"},
 "e3": {"class": "reduce", "mode": "sum", "axes": ["T", "F"], "from": "r", "loss": "as_is", "loss_scale": 0.1},
 "ed": {"class": "copy", "from": "am", "loss": "edit_distance", "target": "cls"}, "am": {"class": "reduce", "mode": "argmax", "axes": "F", "from": "o1"},
}
