# slice_nd with fixed and dynamic starts and sizes
extern_data = {"data": {"dim": 3}, "st": {"dim": None, "shape": (), "dtype": "int32"}, "n": {"dim": None, "shape": (), "dtype": "int32"}, "stt": {"dim": None, "shape": (None,), "dtype": "int32"}}
network = {"a": {"class": "slice_nd", "start": "data:st", "size": 2, "from": "data"},
           "b": {"class": "slice_nd", "start": 1, "size": None, "from": "data"},
           "c": {"class": "slice_nd", "start": "data:st", "size": None, "from": "data"},
           "d": {"class": "slice_nd", "start": "data:st", "size": None, "min_size": 2, "from": "data"},
           "e": {"class": "slice_nd", "start": "data:st", "size": "data:n", "from": "data"},
           "g": {"class": "slice_nd", "start": 0, "size": 2, "from": "data"},
           "h": {"class": "reinterpret_data", "size_base": "data", "from": "data:stt"},
           "i": {"class": "slice_nd", "start": "h", "size": 2, "from": "data"}}
case = {"lens": {"data": [4, 7, 5], "stt": [4, 7, 5]}, "inputs": {"st": [1, 3, 4], "n": [2, 1, 3]}, "int_range": {"stt": [-1, 6]}}
