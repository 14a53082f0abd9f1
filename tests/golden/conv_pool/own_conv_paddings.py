# padding by numbers and same_static, with strides, on dynamic and static axes
extern_data = {"data": {"dim": 2, "shape": (None, 5, 2)}, "flat": {"dim": 3}}
network = {"i1": {"class": "conv", "filter_size": (3,), "padding": 1, "n_out": 2, "from": "data:flat"},
           "i2": {"class": "conv", "filter_size": (4,), "padding": 2, "strides": 2, "n_out": 2, "from": "data:flat"},
           "i0": {"class": "conv", "filter_size": (2,), "padding": 0, "n_out": 2, "from": "data:flat"},
           "l": {"class": "conv", "filter_size": (3, 3), "padding": (1, 0), "strides": (2, 1), "n_out": 2, "from": "data"},
           "st": {"class": "conv", "filter_size": (4,), "padding": "same_static", "strides": 2, "n_out": 2, "from": "data:flat"},
           "st2": {"class": "conv", "filter_size": (3, 3), "padding": "same_static", "strides": (3, 2), "n_out": 2, "from": "data"},
           "pi": {"class": "pool", "mode": "max", "pool_size": (3,), "padding": 1, "strides": 2, "from": "data:flat"},
           "pa": {"class": "pool", "mode": "avg", "pool_size": (3,), "padding": 1, "strides": 2, "from": "data:flat"},
           "ps": {"class": "pool", "mode": "avg", "pool_size": (3,), "padding": "same_static", "strides": 2, "from": "data:flat"},
           "obj": {"class": "eval", "from": "st2", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 4], "flat": [6, 7, 3]}}
