# batch_norm as option of other layers (losses see what is before it), time-major, several sources, mixed statistics, train
extern_data = {"data": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False, "shape": (None,), "time_dim_axis": 0, "batch_dim_axis": 1}}
network = {"lin": {"class": "linear", "activation": "tanh", "n_out": 4, "batch_norm": True, "from": "data"},
           "opt": {"class": "linear", "activation": "relu", "n_out": 3, "batch_norm": {"momentum": 0.2, "epsilon": 1e-5, "use_sample": 0.3, "param_version": 1}, "from": "lin"},
           "cat": {"class": "batch_norm", "use_sample": 1.0, "delay_sample_update": True, "from": ["lin", "opt"]},
           "only": {"class": "batch_norm", "update_sample_only_in_training": True, "param_version": 2, "from": "lin"},
           "mixed": {"class": "batch_norm", "force_sample": True, "use_sample": 0.5, "use_shift": False, "from": "lin"},
           "all": {"class": "copy", "from": ["cat", "only", "mixed"]},
           "output": {"class": "softmax", "batch_norm": {"masked_time": False}, "loss": "ce", "target": "classes", "from": "all"}}
case = {"lens": {"data": [5, 7, 1], "classes": [5, 7, 1]}, "train": True}
