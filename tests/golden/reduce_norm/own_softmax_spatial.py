# softmax_over_spatial on time-major input, log space with a window, a window by numbers, over the features, layers as window
extern_data = {"data": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}, "st": {"dim": None, "shape": (), "dtype": "int32"}}
network = {"st": {"class": "copy", "from": "data:st"},
           "w": {"class": "softmax_over_spatial", "energy_factor": 0.5, "from": "data"},
           "ws": {"class": "softmax_over_spatial", "start": "st", "energy_factor": 2.0, "from": "data"},
           "wn": {"class": "softmax_over_spatial", "window_start": 0, "window_size": 4, "from": "data"},
           "wb": {"class": "softmax_over_spatial", "start": "st", "window_start": "st", "window_size": 2, "use_time_mask": True, "from": "data"},
           "wf": {"class": "softmax_over_spatial", "axis": "F", "from": "data"},
           "ctx": {"class": "reduce", "mode": "sum", "axis": "T", "from": "w"},
           "obj": {"class": "eval", "from": "ws", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"inputs": {"st": [1, 3, 0]}, "lens": {"data": [4, 7, 1]}}
