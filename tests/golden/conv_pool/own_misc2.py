# dims of the result that differ per sequence twice: stride chains, combine after size_base, ctc after pooling, time reduction by split/merge, upsampling
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [9, 5, 6], "classes": [3, 1, 2]}}
network = {
 "p1": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "data"}, "l1": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "p1", "direction": -1},
 "p2": {"class": "pool", "mode": "avg", "pool_size": (3,), "strides": 2, "padding": "same", "from": "l1"}, "c": {"class": "conv", "n_out": 4, "filter_size": (3,), "strides": 2, "padding": "same", "from": "data", "activation": "relu"}, "c2": {"class": "conv", "n_out": 4, "filter_size": (3,), "strides": 2, "padding": "same", "from": "c", "activation": "relu"},
 "add": {"class": "combine", "kind": "add", "from": ["p1x", "c"]}, "p1x": {"class": "linear", "n_out": 4, "activation": None, "from": "p1"},
 "sp": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"}, "mg": {"class": "merge_dims", "axes": ["dim:2", "F"], "keep_order": True, "from": "sp"}, "lin": {"class": "linear", "n_out": 4, "from": "mg", "activation": "tanh"}, "w": {"class": "window", "window_size": 4, "stride": 2, "from": "data"}, "wm": {"class": "merge_dims", "axes": "except_time", "from": "w"}, "wl": {"class": "linear", "n_out": 4, "from": "wm", "activation": "tanh"}, "st": {"class": "slice", "axis": "T", "slice_step": 2, "from": "data"}, "add4": {"class": "combine", "kind": "mul", "from": ["st", "c"]},
 "up": {"class": "transposed_conv", "n_out": 4, "filter_size": (2,), "strides": (2,), "from": "c", "activation": None}, "upc": {"class": "copy", "from": "up"},
 "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "from": "c2"}, "rp": {"class": "repeat", "repetitions": 2, "axis": "T", "from": "c"}, "rs": {"class": "resize", "factor": 2, "axis": "T", "from": "c"},
 "ctc": {"class": "softmax", "from": "c", "loss": "ctc", "target": "classes", "n_out": 4, "loss_opts": {"beam_width": 1}},
 "m": {"class": "reduce", "mode": "mean", "axes": "T", "from": "c2"}, "mx": {"class": "combine", "kind": "add", "from": ["m", "c"]},
}
