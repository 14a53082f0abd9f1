# two and three spatial axes with groups; the depthwise case of two axes; 'valid'; two dynamic axes
extern_data = {"data": {"dim": 4, "shape": (None, 5, 4)}, "img": {"dim": 2, "shape": (None, None, 2)}}
network = {"g": {"class": "conv", "filter_size": (3, 2), "groups": 2, "padding": "same", "n_out": 6, "from": "data"},
           "d": {"class": "conv", "filter_size": (3, 2), "groups": 4, "padding": "valid", "n_out": 4, "activation": "relu", "from": "data"},
           "i": {"class": "conv", "filter_size": (2, 3), "padding": "same", "strides": (1, 2), "n_out": 3, "from": "data:img"},
           "ip": {"class": "pool", "mode": "max", "pool_size": (2, 2), "padding": "valid", "from": "data:img"},
           "ir": {"class": "reduce", "mode": "mean", "axis": "spatial", "from": "i"},
           "obj": {"class": "eval", "from": "ir", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 4], "img/1": [6, 7, 3], "img/2": [4, 5, 6]}}
