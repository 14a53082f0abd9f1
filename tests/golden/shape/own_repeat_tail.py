# what stands behind the end of a repeated sequence, as a convolution sees it
extern_data = {"data": {"dim": 2}, "n": {"dim": None, "shape": (None,), "dtype": "int32"}}
network = {"r": {"class": "repeat", "repetitions": "data:n", "axis": "T", "from": "data"},
           "c": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 2, "activation": None, "from": "r"},
           "two": {"class": "repeat", "repetitions": 2, "axis": "T", "from": "data"}, "c2": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 2, "activation": None, "from": "two"}}
case = {"lens": {"data": [4, 2, 3], "n": [4, 2, 3]}, "inputs": {"n": [[1, 2, 0, 3], [2, 1, 3, 3], [0, 2, 1, 1]]}}
