# merge_dims of a time-major input: the axes as they lie there
extern_data = {"data": {"dim": 4}}
network = {"tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data"},
           "bt": {"class": "merge_dims", "axes": "BT", "from": "tm"},
           "sp": {"class": "split_dims", "axis": "F", "dims": (2, 2), "from": "tm"},
           "m1": {"class": "merge_dims", "axes": "static", "from": "sp"},
           "m2": {"class": "merge_dims", "axes": "except_time", "from": "sp"},
           "tf": {"class": "merge_dims", "axes": ["T", "F"], "from": "sp"}}
