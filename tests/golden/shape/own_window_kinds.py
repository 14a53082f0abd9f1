# window over other axes, of labels, time-major input, valid padding with stride
extern_data = {"data": {"dim": 3, "shape": (None, 6, 3)}, "lab": {"dim": 7, "sparse": True}, "d2": {"dim": 4}}
network = {"ws": {"class": "window", "window_size": 3, "axis": "static:0", "from": "data"},
           "wv": {"class": "window", "window_size": 4, "axis": "T", "padding": "valid", "stride": 2, "from": "data"},
           "wl": {"class": "window", "window_size": 2, "from": "data:lab"},
           "tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data:d2"},
           "wt": {"class": "window", "window_size": 3, "stride": 2, "from": "tm"},
           "wf": {"class": "window", "window_size": 2, "axis": "F", "from": "data:d2"},
           "red": {"class": "reduce", "mode": "sum", "axis": "T", "from": "wv"}}
case = {"lens": {"data": [7, 5, 4], "lab": [3, 7, 1], "d2": [5, 7, 1]}}
