# batch of one and lengths of one
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"batch": 1, "time": 1, "lens": {"data": [1], "classes": [1]}}
network = {
 "r": {"class": "rec", "unit": "lstm", "n_out": 3, "direction": -1, "from": "data"},
 "c": {"class": "conv", "n_out": 3, "filter_size": (3,), "padding": "same", "from": "r", "strides": 2},
 "p": {"class": "pool", "mode": "max", "pool_size": (3,), "padding": "same", "from": "c"},
 "a": {"class": "self_attention", "num_heads": 1, "total_key_dim": 2, "n_out": 3, "from": "data"},
 "bn": {"class": "batch_norm", "from": "data"}, "w": {"class": "window", "window_size": 4, "from": "data"},
 "m": {"class": "reduce", "mode": "mean", "axes": "T", "from": "r"}, "sp": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"},
 "pad": {"class": "pad", "axes": "T", "padding": (2, 1), "from": "data"},
 "pc": {"class": "conv", "n_out": 2, "filter_size": (3,), "padding": "valid", "from": "pad"},
 "output": {"class": "softmax", "from": ["r", "a", "bn"], "loss": "ce"},
 "ctc": {"class": "softmax", "from": "p", "loss": "ctc", "loss_opts": {"beam_width": 1, "use_native": True}, "n_out": 4, "target": "classes"},
}
