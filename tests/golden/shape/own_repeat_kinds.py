# repeat of a static axis, counts without time, counts per position
extern_data = {"data": {"dim": 3, "shape": (None, 3)}, "lab": {"dim": 7, "sparse": True}, "n": {"dim": None, "shape": (), "dtype": "int32"}}
network = {"f": {"class": "repeat", "repetitions": 2, "axis": "F", "from": "data"},
           "t3": {"class": "repeat", "repetitions": 3, "axis": "T", "from": "data:lab"},
           "b": {"class": "repeat", "repetitions": "data:n", "axis": "T", "from": "data"},
           "r": {"class": "reduce", "mode": "sum", "axis": "T", "from": "b"},
           "tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data"},
           "tmr": {"class": "repeat", "repetitions": 2, "axis": "T", "from": "tm"}}
case = {"inputs": {"n": [2, 1, 3]}, "lens": {"data": [4, 1, 3]}}
