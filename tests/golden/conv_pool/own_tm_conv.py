# time-major 4-D data; conv 2d with channel first off/on, pooling, batch norm, merge, in training
extern_data = {"data": {"shape": (None, 6), "dim": 6, "time_dim_axis": 0, "batch_dim_axis": 1}, "classes": {"dim": 4, "sparse": True}}
case = {"train": True, "lens": {"data": [6, 3, 5], "classes": [3, 2, 3]}}
behavior_version = 16
network = {
 "s": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": "data"},
 "c0": {"class": "conv", "n_out": 3, "filter_size": (3, 3), "padding": "same", "in_spatial_dims": ["T", "dim:6"], "from": "s", "activation": None, "with_bias": False, "auto_use_channel_first": False},
 "b0": {"class": "batch_norm", "from": "c0", "masked_time": True, "momentum": 0.1}, "a0": {"class": "activation", "activation": "relu", "from": "b0"},
 "p0": {"class": "pool", "mode": "avg", "pool_size": (2, 3), "padding": "same", "in_spatial_dims": ["T", "dim:6"], "from": "a0"},
 "c1": {"class": "conv", "n_out": 4, "filter_size": (2,), "padding": "same", "in_spatial_dims": ["T"], "from": "m0", "strides": 1, "activation": "tanh"},
 "m0": {"class": "merge_dims", "axes": ["dim:2", "F"], "keep_order": True, "from": "p0"},
 "b1": {"class": "batch_norm", "from": "c1", "masked_time": False, "epsilon": 0.1},
 "output": {"class": "softmax", "from": "b1", "loss": "ce", "target": "classes", "n_out": 4},
}
