# 4-D input with extra static axes
extern_data = {"data": {"shape": (None, 4, 3), "dim": 3}, "img": {"shape": (None, 6, 5, 2), "dim": 2}}
case = {"time": {"data": 5, "img": 5}}
network = {
 "l": {"class": "linear", "n_out": 2, "activation": "tanh", "from": "data"},
 "bn": {"class": "batch_norm", "from": "data"},
 "ln": {"class": "layer_norm", "from": "data"},
 "m": {"class": "merge_dims", "axes": "static", "from": "data"},
 "m2": {"class": "merge_dims", "axes": ["T", "static:0"], "from": "data"},
 "r1": {"class": "reduce", "mode": "mean", "axis": "s:1", "from": "data"},
 "r2": {"class": "reduce", "mode": "max", "axes": ["T", "F"], "from": "data", "keep_dims": True},
 "r3": {"class": "reduce", "mode": "argmax", "axes": "static:0", "from": "data"},
 "c": {"class": "conv", "n_out": 3, "filter_size": (3, 3), "padding": "same", "from": "data"},
 "c3": {"class": "conv", "n_out": 3, "filter_size": (3, 2, 2), "padding": "same", "strides": (1, 2, 2), "from": "data:img", "with_bias": True, "activation": "relu"},
 "p3": {"class": "pool", "mode": "avg", "pool_size": (2, 2, 2), "padding": "same", "strides": (1, 2, 2), "from": "data:img"},
 "p2": {"class": "pool", "mode": "max", "pool_size": (2, 2), "padding": "valid", "from": "data:img", "in_spatial_dims": ["dim:6", "dim:5"]},
 "sw": {"class": "swap_axes", "axis1": "s:1", "axis2": "f", "from": "data"},
 "lsw": {"class": "linear", "from": "sw", "n_out": 2, "activation": None},
 "w": {"class": "window", "window_size": 3, "from": "data"},
 "pad": {"class": "pad", "axes": ("s:1",), "padding": (1, 2), "value": 1, "mode": "constant", "from": "data"},
 "sp": {"class": "softmax_over_spatial", "axis": "static:0", "from": "data"},
 "spt": {"class": "softmax_over_spatial", "from": "data"},
 "dot": {"class": "dot", "from": ["data", "l"], "red1": "static:0", "red2": "static:0", "var1": "static:-1", "var2": "static:-1"},
 "rec": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "m"},
 "sl": {"class": "slice", "axis": "s:1", "slice_start": 1, "from": "data"},
 "ex": {"class": "expand_dims", "axis": "spatial", "from": "data"},
 "ex2": {"class": "expand_dims", "axis": "f", "from": "data"},
}
