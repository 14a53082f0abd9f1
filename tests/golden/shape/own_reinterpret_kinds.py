# reinterpret_data: switched axes, several sizes, dim tags, sparse dims
extern_data = {"data": {"dim": 3}, "lab": {"dim": 5, "sparse": True}, "o": {"dim": 2}}
network = {"lab2": {"class": "reinterpret_data", "set_sparse": False, "from": "data:lab"},
           "lab3": {"class": "reinterpret_data", "set_sparse": True, "set_sparse_dim": 7, "from": "data:lab"},
           "lab4": {"class": "reinterpret_data", "increase_sparse_dim": 2, "size_base": "data", "from": "data:lab"},
           "fl": {"class": "reinterpret_data", "switch_axes": "tf", "from": "data"},
           "sw": {"class": "reduce", "mode": "sum", "axis": "T", "from": "fl"},
           "no_t": {"class": "reinterpret_data", "set_axes": {"T": None}, "from": "data"},
           "tspat": {"class": "reinterpret_data", "set_axes": {"T": "F"}, "from": "data"},
           "bb": {"class": "reinterpret_data", "batch_dim_base": "data:o", "from": "data"},
           "tm2": {"class": "reinterpret_data", "enforce_time_major": True, "set_axes": {"F": "F"}, "from": "data"},
           "sl": {"class": "slice", "axis": "F", "slice_start": 1, "from": "tm2"},
           "sp": {"class": "split_dims", "axis": "F", "dims": (3, 1), "from": "tm2"}}
case = {"lens": {"data": [5, 1, 4], "lab": [5, 1, 4], "o": [5, 1, 4]}}
