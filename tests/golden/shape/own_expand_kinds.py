# expand_dims of several sizes and axes, of labels, without batch order
extern_data = {"data": {"dim": 3}, "lab": {"dim": 5, "sparse": True}}
network = {"sp": {"class": "expand_dims", "axis": "spatial", "dim": 4, "from": "data"},
           "f": {"class": "expand_dims", "axis": "F", "from": "data"},
           "l": {"class": "expand_dims", "axis": "spatial", "from": "data:lab"},
           "l2": {"class": "expand_dims", "axis": "T", "dim": 2, "from": "data:lab"},
           "avg": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
           "a3": {"class": "expand_dims", "axis": "T", "dim": 3, "from": "avg"},
           "a1": {"class": "expand_dims", "axis": "f", "from": "avg"},
           "tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data"},
           "e": {"class": "expand_dims", "axis": "spatial", "from": "tm"}, "e0": {"class": "expand_dims", "axis": 1, "from": "tm"}}
