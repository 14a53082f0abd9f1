# axis strings in many forms on a 5-D tensor
extern_data = {"data": {"shape": (None, 4, 3, 2), "dim": 2}, "y": {"shape": (None, 2), "dim": 2}}
case = {"lens": {"data": [4, 2, 1], "y": [4, 2, 1]}}
def R(ax, **kw): return dict({"class": "reduce", "mode": "sum", "axis": ax, "from": "data"}, **kw)
network = {}
for i, ax in enumerate(["T", "F", "f", "t", "B", "b", "s:0", "s:1", "s:2", "static:0", "static:1", "static:-1", "spatial:1", "dyn", "stag:extern_data:data", "dim:4", "dim:2", "except_time", "except_batch", "static", "spatial", "spatial_except_time", "dynamic", "bt", "dim:3", ["T", "F"], ["static:0", "static:1"], ["B", "except_batch"], "*", "TimeOrDim" , 1, 2, -1, "btf", "non_dynamic", "dyn:0", "dyn:-1", "b+f", "s:-1", "stag-single:0:extern_data:data", "single", "T?", "*+1"]):
    if ax in ("spatial:1", "TimeOrDim", "non_dynamic", "single", "*+1", "b+f", "stag-single:0:extern_data:data", "T?", "dyn", "dyn:0", "dyn:-1", "dynamic"): continue
    network["r%i" % i] = R(ax)
network.update({
 "m1": {"class": "merge_dims", "axes": "static", "from": "data"}, "m2": {"class": "merge_dims", "axes": ["dim:4", "dim:2"], "from": "data"}, "m3": {"class": "merge_dims", "axes": ["B", "T"], "from": "data"}, "m4": {"class": "merge_dims", "axes": "except_batch", "from": "data"}, "m5": {"class": "merge_dims", "axes": ("s:1", "s:2"), "from": "data"}, "m6": {"class": "merge_dims", "axes": ["dim:3", "F"], "keep_order": True, "from": "data"}, "m7": {"class": "merge_dims", "axes": "bt", "from": "data"}, "m8": {"class": "merge_dims", "axes": ["T", "dim:4"], "keep_order": True, "from": "data"},
 "sp1": {"class": "split_dims", "axis": "dim:4", "dims": (2, -1), "from": "data"}, "sp2": {"class": "split_dims", "axis": "F", "dims": (1, 2, 1), "from": "data"},
 "ex1": {"class": "expand_dims", "axis": "f", "from": "data"}, "ex2": {"class": "expand_dims", "axis": "T", "from": "m4"}, "ex3": {"class": "expand_dims", "axis": "spatial", "from": "m3"}, "ex4": {"class": "expand_dims", "axis": "spatial", "dim": 3, "from": "data"},
 "sq": {"class": "squeeze", "axis": "f", "from": "ex1"}, "rd": {"class": "reinterpret_data", "switch_axes": "TF", "from": "data:y"}, "rd2": {"class": "reinterpret_data", "set_axes": {"F": "dim:3"}, "from": "data"}, "rl": {"class": "linear", "n_out": 2, "activation": None, "from": "rd2"}, "rd3": {"class": "reinterpret_data", "set_axes": {"T": "s:1"}, "from": "data"}, "rd4": {"class": "reinterpret_data", "set_axes": {"F": None}, "from": "data:y"},
 "sw": {"class": "swap_axes", "axis1": "dim:4", "axis2": "dim:3", "from": "data"}, "tr": {"class": "transpose", "perm": {"dim:4": "F", "F": "dim:4"}, "from": "data"},
 "cmb": {"class": "combine", "kind": "add", "from": ["data", "data:y"]}, "cmb2": {"class": "combine", "kind": "mul", "from": ["data:y", "data"]},
 "ln": {"class": "layer_norm", "from": "data"}, "nm": {"class": "norm", "axis": ["dim:4", "F"], "from": "data"}, "pp": {"class": "pool", "mode": "max", "pool_size": (2,), "in_spatial_dims": ["dim:4"], "padding": "valid", "from": "data"},
 "cv": {"class": "conv", "n_out": 2, "filter_size": (2, 2), "in_spatial_dims": ["T", "dim:3"], "padding": "same", "from": "data"}, "dt": {"class": "cumsum", "axis": "dim:4", "from": "data"},
})
