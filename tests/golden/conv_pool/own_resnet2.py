# residual 2-D network on time-major output of an LSTM, with strides and shortcut, global pooling, classification of sequences, batch norm training
extern_data = {"data": {"dim": 6}, "classes": {"shape": (), "dim": 3, "sparse": True}}
case = {"train": True, "lens": {"data": [8, 5, 7]}}
behavior_version = 6
def bn(f): return {"class": "batch_norm", "from": f, "masked_time": True, "momentum": 0.1, "epsilon": 1e-5, "update_sample_only_in_training": True, "delay_sample_update": True, "param_version": 1}
network = {
 "r": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "data"}, "s": {"class": "split_dims", "axis": "F", "dims": (6, 1), "from": "r"},
 "c0": {"class": "conv", "n_out": 4, "filter_size": (3, 3), "padding": "same", "strides": (2, 1), "with_bias": False, "activation": None, "from": "s"}, "b0": bn("c0"), "a0": {"class": "activation", "activation": "relu", "from": "b0"},
 "c1": {"class": "conv", "n_out": 6, "filter_size": (3, 3), "padding": "same", "strides": (1, 2), "with_bias": False, "activation": None, "from": "a0"}, "b1": bn("c1"), "a1": {"class": "activation", "activation": "relu", "from": "b1"}, "c2": {"class": "conv", "n_out": 6, "filter_size": (3, 3), "padding": "same", "with_bias": False, "activation": None, "from": "a1"}, "b2": bn("c2"),
 "sc": {"class": "conv", "n_out": 6, "filter_size": (1, 1), "padding": "same", "strides": (1, 2), "with_bias": False, "activation": None, "from": "a0"}, "bs": bn("sc"), "sum": {"class": "combine", "kind": "add", "from": ["b2", "bs"]}, "a2": {"class": "activation", "activation": "relu", "from": "sum"},
 "gp": {"class": "reduce", "mode": "mean", "axes": ["T", "static:0"], "from": "a2"}, "gm": {"class": "reduce", "mode": "max", "axes": "spatial", "from": "a2"},
 "output": {"class": "softmax", "from": ["gp", "gm"], "loss": "ce", "target": "classes"},
}
