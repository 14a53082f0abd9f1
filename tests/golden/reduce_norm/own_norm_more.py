# norm over time and features together, parameters over two axes, time-major; layer_norm of two sources
extern_data = {"data": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}, "vol": {"dim": 2, "shape": (None, 3, 2)}}
network = {"tf": {"class": "norm", "axes": "tf", "from": "data"},
           "eb": {"class": "norm", "axes": "except_batch", "param_shape": ("dim:3", "F"), "epsilon": 1e-3, "from": "data:vol"},
           "sc": {"class": "norm", "axes": ["dim:3"], "param_shape": ["dim:3"], "bias": False, "from": "data:vol"},
           "lin": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
           "ln": {"class": "layer_norm", "from": ["data", "lin"]},
           "lnm": {"class": "layer_norm", "from": "mean"}, "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lin"},
           "obj": {"class": "eval", "from": "ln", "eval": "source(0) ** 2", "loss": "as_is"},
           "obj2": {"class": "eval", "from": "eb", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "vol": [4, 1, 6]}}
