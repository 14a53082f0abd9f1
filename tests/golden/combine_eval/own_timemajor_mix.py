# mixing of time-major rec output with batch-major data in many layers
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
 "r": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
 "rb": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data", "direction": -1},
 "add": {"class": "combine", "kind": "add", "from": ["data", "r"]}, "add2": {"class": "combine", "kind": "add", "from": ["r", "data"]},
 "cc": {"class": "copy", "from": ["data", "r"]}, "cc2": {"class": "copy", "from": ["r", "rb", "data"]},
 "lin": {"class": "linear", "n_out": 3, "activation": "relu", "from": ["r", "data"]},
 "conv": {"class": "conv", "n_out": 3, "filter_size": (3,), "padding": "same", "from": ["r", "rb"]},
 "win": {"class": "window", "window_size": 3, "from": "r"}, "wm": {"class": "merge_dims", "axes": "except_time", "from": "win"}, "wm2": {"class": "merge_dims", "axes": "static", "from": "win"},
 "sp": {"class": "split_dims", "axis": "F", "dims": (2, -1), "from": "r"}, "mm": {"class": "merge_dims", "axes": ["B", "T"], "from": "r"},
 "red": {"class": "reduce", "mode": "mean", "axes": "T", "from": "r"}, "redb": {"class": "reduce", "mode": "mean", "axes": ["T", "B"], "from": "r"},
 "rf": {"class": "reduce", "mode": "logsumexp", "axes": "F", "from": "r"},
 "sm": {"class": "softmax_over_spatial", "from": "r"}, "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "from": "r", "attention_left_only": True},
 "bn": {"class": "batch_norm", "from": "r"}, "ln": {"class": "layer_norm", "from": "r"},
 "sl": {"class": "slice", "axis": "T", "slice_start": 1, "from": "r"}, "dot": {"class": "dot", "from": ["r", "data"], "red1": "T", "red2": "T", "var1": "F", "var2": "F"},
 "dot2": {"class": "dot", "from": ["r", "data"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"},
 "bm": {"class": "reinterpret_data", "from": "r", "enforce_batch_major": True}, "tm": {"class": "reinterpret_data", "from": "data", "enforce_time_major": True},
 "ev": {"class": "eval", "from": ["r", "data"], "eval": "source(0) * source(1)"},
 "len": {"class": "rec", "unit": "gru", "n_out": 2, "from": "tm"}, "gate": {"class": "gating", "activation": "tanh", "from": "r"},
 "pos": {"class": "positional_encoding", "from": "r", "add_to_input": True}, "pool": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "r"},
 "ed": {"class": "expand_dims", "axis": "spatial", "from": "r"}, "pad": {"class": "pad", "axes": "T", "padding": (1, 0), "from": "r"},
 "output": {"class": "softmax", "from": ["r", "rb"], "loss": "ce", "loss_opts": {"label_smoothing": 0.2}},
}
case = {"time": {"data": 5, "classes": 5}}
