# squeeze of several axes at once, of feature and spatial axes
extern_data = {"data": {"dim": 1, "shape": (None, 1, 1)}, "d2": {"dim": 4, "shape": (1, 1, 4)}}
network = {"a": {"class": "squeeze", "axis": "auto", "from": "data"},
           "s": {"class": "squeeze", "axis": "spatial_except_time", "from": "data"},
           "l": {"class": "squeeze", "axis": ["static:0", "static:1"], "from": "data"},
           "f": {"class": "squeeze", "axis": "F", "from": "data"},
           "d": {"class": "squeeze", "axis": "static:0", "from": "data:d2"},
           "e": {"class": "squeeze", "axis": 1, "enforce_batch_dim_axis": 0, "from": "data:d2"}}
