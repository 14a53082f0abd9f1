# pooling: use_time_mask, three axes, in training
extern_data = {"data": {"dim": 3}, "vol": {"dim": 2, "shape": (None, 4, 3, 2)}}
network = {"lin": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
           "mm": {"class": "pool", "mode": "max", "pool_size": (4,), "padding": "same", "strides": 2, "use_time_mask": True, "from": "lin"},
           "vol": {"class": "pool", "mode": "max", "pool_size": (2, 2, 1), "padding": "valid", "from": "data:vol"},
           "vola": {"class": "pool", "mode": "avg", "pool_size": (3, 2, 2), "strides": (2, 1, 2), "padding": "same", "from": "data:vol"},
           "cat": {"class": "copy", "from": ["mm", "mm"]},
           "obj": {"class": "eval", "from": "cat", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [8, 7, 1], "vol": [5, 6, 2]}, "train": True}
