# options seldom used: target layer:, source_idx loss copy, linear out_type, reduce_out, length forms, unit_opts, gating variants, loss on reinterpret
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [5, 2, 1], "classes": [5, 2, 1]}}
network = {
 "a": {"class": "linear", "n_out": 6, "activation": "tanh", "from": "data"},
 "tgt": {"class": "eval", "from": "data:classes", "eval": "tf.minimum(source(0) + 1, 2)"},
 "o1": {"class": "softmax", "from": "a", "n_out": 3, "loss": "ce", "target": "layer:tgt"},
 "o2": {"class": "softmax", "from": "a", "loss": "ce", "loss_opts": {"label_smoothing": 0.2}},
 "ri": {"class": "reinterpret_data", "from": "o2", "size_base": "data:classes", "loss": "ce", "target": "classes", "loss_opts": {"scale": 0.1}},
 "cpl": {"class": "copy", "from": "o2"},
 "rmax": {"class": "reduce_out", "mode": "max", "num_pieces": 2, "from": "a"}, "rmax3": {"class": "reduce_out", "mode": "max", "num_pieces": 3, "from": ["a", "data", "tw"]}, "tw": {"class": "linear", "n_out": 2, "activation": None, "from": "a"},
 "g1": {"class": "gating", "activation": None, "from": ["a", "tw"]}, "g2": {"class": "gating", "activation": "relu", "gate_activation": "tanh", "from": "a"},
 "lnl": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 3, "from": "a", "unit_opts": {"global_norm": False, "global_norm_joined": True, "cell_norm": False}}, "lnl2": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 3, "from": "a", "unit_opts": {"global_norm": False, "per_gate_norm": True, "cell_norm": True, "cell_norm_in_output": False, "hidden_norm": True}},
 "zo": {"class": "rec", "unit": "zoneoutlstm", "n_out": 3, "from": "a", "unit_opts": {"zoneout_factor_cell": 0.15, "zoneout_factor_output": 0.05}, "direction": -1},
 "lf": {"class": "rec", "unit": "lstmblock", "n_out": 3, "from": "a", "unit_opts": {"forget_bias": 0.0}},
 "le": {"class": "length", "from": "data", "add_time_axis": True, "dtype": "int32"}, "lf0": {"class": "length", "from": "data", "dtype": "float32"},
 "ctc": {"class": "softmax", "from": "lnl", "loss": "ctc", "loss_opts": {"beam_width": 1, "use_native": True}, "target": "classes", "loss_scale": 0.1},
 "ei": {"class": "eval", "from": ["o1"], "eval": "tf.nn.log_softmax(source(0, auto_convert=False), axis=-1)", "loss": "as_is", "loss_scale": 0},
 "nrm": {"class": "eval", "from": "a", "eval": "(source(0) - tf.reduce_mean(source(0), axis=-1, keepdims=True)) / tf.sqrt(tf.math.reduce_variance(source(0), axis=-1, keepdims=True) + 1e-5)", "loss": "as_is"},
 "sf": {"class": "eval", "from": "a", "eval": "source(0)[:, :, 1:2] * source(0) + source(0)[..., -1:]"},
 "vw": {"class": "elemwise_prod", "axes": "F", "from": "a"}, "ed": {"class": "copy", "from": "rmax"},
}
