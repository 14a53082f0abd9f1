# shared parameters of conv and batch_norm, dropout is off, L2, conv in a subnetwork, stag names of the axes that conv makes
extern_data = {"data": {"dim": 3}, "img": {"dim": 2, "shape": (None, 6, 2)}}
network = {"a": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "with_bias": True, "L2": 0.01, "from": "data"},
           "b": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "with_bias": True, "reuse_params": "a", "from": "a"},
           "sub": {"class": "subnetwork", "from": "b", "subnetwork": {
               "c": {"class": "conv", "filter_size": (2,), "strides": 2, "padding": "same", "n_out": 2, "batch_norm": True, "from": "data"},
               "output": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "c"}}},
           "i": {"class": "conv", "filter_size": (3, 3), "strides": (2, 2), "padding": "same", "n_out": 2, "from": "data:img"},
           "it": {"class": "reduce", "mode": "mean", "axis": "stag:i:conv:s0", "from": "i"},
           "is": {"class": "reduce", "mode": "mean", "axis": "stag:conv:s1", "from": "i"},
           "ip": {"class": "pool", "mode": "max", "pool_size": (2, 1), "padding": "same", "from": "i"},
           "ips": {"class": "reduce", "mode": "max", "axis": "stag:ip:conv:s0", "from": "ip"},
           "obj": {"class": "eval", "from": "sub", "eval": "source(0) ** 2", "loss": "as_is"},
           "obj2": {"class": "eval", "from": "is", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 3], "img": [7, 2, 5]}, "train": True}
