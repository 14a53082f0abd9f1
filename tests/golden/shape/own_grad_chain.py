# gradients through window, fold, pad, repeat, shift, slice_nd, gather, chunks and packed batches
extern_data = {"data": {"dim": 3}, "st": {"dim": None, "shape": (), "dtype": "int32"}}
network = {"l": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
           "w": {"class": "window", "window_size": 3, "stride": 2, "from": "l"},
           "o1": {"class": "eval", "eval": "source(0) ** 2", "from": "w", "loss": "as_is"},
           "r": {"class": "repeat", "repetitions": 2, "axis": "T", "from": "l"},
           "sh": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "r"},
           "o2": {"class": "eval", "eval": "tf.exp(source(0))", "from": "sh", "loss": "as_is"},
           "p": {"class": "pad", "axes": ["T", "F"], "padding": (1, 1), "mode": "reflect", "from": "l"},
           "o3": {"class": "eval", "eval": "source(0) ** 3", "from": "p", "loss": "as_is"},
           "sn": {"class": "slice_nd", "start": "data:st", "size": None, "from": "l"},
           "o4": {"class": "eval", "eval": "source(0) * 2", "from": "sn", "loss": "as_is"},
           "fb": {"class": "flatten_batch", "from": "l"},
           "l2": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "fb"},
           "ub": {"class": "unflatten_batch", "from": "l2"},
           "o5": {"class": "eval", "eval": "source(0) ** 2", "from": "ub", "loss": "as_is"},
           "po": {"class": "postfix_in_time", "postfix": 0.5, "repeat": 2, "from": "l"},
           "sd": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "po"},
           "o6": {"class": "eval", "eval": "source(0) ** 2", "from": "sd", "loss": "as_is"},
           "rz": {"class": "resize", "factor": 2, "axis": "T", "kind": "linear", "from": "l"},
           "o7": {"class": "eval", "eval": "source(0) ** 2", "from": "rz", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 4]}, "inputs": {"st": [1, 3, 2]}}
