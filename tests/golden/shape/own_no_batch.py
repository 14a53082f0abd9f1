# inputs without batch or time axis
extern_data = {"data": {"dim": 6, "shape": (6,)}, "seq": {"dim": 3}}
network = {"c": {"class": "range", "limit": 6, "dtype": "float32"},
           "s": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "c"},
           "m": {"class": "merge_dims", "axes": ["static:1", "static:0"], "from": "s"},
           "sl": {"class": "slice", "axis": "F", "slice_start": 2, "from": "data"},
           "w": {"class": "window", "window_size": 3, "axis": "F", "from": "data"},
           "p": {"class": "pad", "axes": "F", "padding": (1, 1), "from": "c"},
           "e": {"class": "expand_dims", "axis": "spatial", "from": "data"},
           "st": {"class": "stack", "from": ["data", "c"]},
           "sd": {"class": "split_dims", "axis": "F", "dims": (3, -1), "from": "data"},
           "r": {"class": "repeat", "repetitions": 2, "axis": "F", "from": "data"}}
