# reduce_out by sum, over time-major input and two sources, in training; reduce of integers
extern_data = {"data": {"dim": 4, "shape": (None, 4), "time_dim_axis": 0, "batch_dim_axis": 1}, "n": {"dim": 3, "shape": (None, 3), "dtype": "int32"}}
network = {"s": {"class": "reduce_out", "mode": "sum", "num_pieces": 4, "from": "data"},
           "lin": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
           "m": {"class": "reduce_out", "mode": "max", "num_pieces": 3, "from": ["data", "lin"]},
           "a": {"class": "reduce_out", "mode": "avg", "num_pieces": 2, "from": "lin"},
           "ni": {"class": "reduce", "mode": "sum", "axis": "T", "from": "data:n"}, "nx": {"class": "reduce", "mode": "max", "axes": "tf", "from": "data:n"},
           "nm": {"class": "reduce", "mode": "argmax", "axis": "T", "from": "data:n"},
           "obj": {"class": "eval", "from": "m", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "n": [4, 1, 6]}, "train": True}
