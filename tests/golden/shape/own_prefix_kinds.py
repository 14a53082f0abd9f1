# prefix and postfix of static axes, of no frames, with the lengths of another layer, of labels over time-major data
extern_data = {"data": {"dim": 3, "shape": (None, 2, 3)}, "lab": {"dim": 7, "sparse": True}, "cnt": {"dim": None, "shape": (), "dtype": "int32"}, "long": {"dim": 1}}
network = {"ps": {"class": "prefix_in_time", "axis": "static:0", "prefix": 2.5, "from": "data"},
           "p0": {"class": "prefix_in_time", "repeat": 0, "from": "data"},
           "sb": {"class": "prefix_in_time", "prefix": 1, "repeat": 2, "size_base": "data:long", "from": "data:lab"},
           "dyn": {"class": "prefix_in_time", "prefix": 4, "repeat": "data:cnt", "size_base": "data:long", "from": "data:lab"},
           "qs": {"class": "postfix_in_time", "axis": "static:0", "postfix": -1, "repeat": 2, "from": "data"},
           "tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data"},
           "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
           "qf": {"class": "postfix_in_time", "postfix": "mean", "from": "data"},
           "ql": {"class": "postfix_in_time", "postfix": 6, "from": "data:lab"}}
case = {"lens": {"data": [5, 7, 4], "lab": [5, 3, 1], "long": [7, 5, 3]}, "inputs": {"cnt": [2, 2, 2]}}
