# gather_nd by positions of the axis itself, of another axis, of a static one, and with further axes behind
extern_data = {"data": {"dim": 3, "shape": (None, 2, 3)}, "p": {"dim": None, "shape": (None,), "dtype": "int32"}, "s": {"dim": 5, "shape": (), "sparse": True}}
network = {
  "len": {"class": "length", "from": "data"},
  "range": {"class": "range_in_axis", "axis": "T", "from": "data", "sparse": False, "dtype": "int32", "keepdims": False},
  "reversed": {"class": "eval", "from": ["len", "range"], "eval": "tf.maximum(source(0, auto_convert=False)[:, None] - source(1, auto_convert=False)[None, :] - 1, 0)", "out_type": {"dim": None, "shape": (None,), "dtype": "int32", "batch_dim_axis": 0, "time_dim_axis": 1, "feature_dim_axis": None}},
  "other": {"class": "gather_nd", "position": "data:p", "from": "data"},
  "one": {"class": "gather_nd", "position": "first", "from": "data"}, "first": {"class": "reduce", "mode": "max", "axis": "T", "from": "data:p"},
  "swap": {"class": "swap_axes", "axis1": "stag:extern_data:data", "axis2": "static:0", "from": "data"},
  "static": {"class": "gather_nd", "position": "half", "from": "swap"}, "half": {"class": "eval", "eval": "source(0) // 3", "from": "first"}}
case = {"lens": {"data": [6, 2, 4], "p": [3, 4, 1]}, "inputs": {"p": [[0, 5, 2, 0], [1, 0, 1, 1], [3, 0, 0, 0]]}}
