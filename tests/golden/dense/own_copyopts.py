# common layer options: dropout forms in training with 0, L2 on everything, spatial_smoothing, only_on_search, trainable None, register_as_extern_data, size_base
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"train": True, "lens": {"data": [5, 3, 4], "classes": [5, 3, 4]}}
network = {
 "a": {"class": "linear", "activation": "relu", "n_out": 5, "from": "data", "dropout": 0.0, "dropout_noise_shape": {"*": None}, "L2": 1e-2, "param_device": "CPU", "trainable": None, "reuse_params": None, "is_output_layer": False, "loss": None, "target": None},
 "b": {"class": "copy", "from": ["a", "data"], "dropout": 0.0, "extra_deps": []},
 "c": {"class": "dropout", "from": "b", "dropout": 0.0, "dropout_noise_shape": {"B": -1, "except_time": -1, "T": 1}},
 "d": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "c", "trainable": True},
 "t2": {"class": "copy", "from": "data:classes", "register_as_extern_data": "tgt"},
 "os": {"class": "softmax", "from": "d", "loss": "ce", "target": "tgt", "only_on_search": False, "only_on_eval": False},
 "e": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "c", "dropout": 0.0, "unit_opts": {"rec_weight_dropout": 0.0}, "L2": 0.01, "trainable": False},
 "output": {"class": "softmax", "from": ["d", "e"], "loss": "ce", "target": "classes", "dropout": 0.0, "L2": 0.1},
 "f": {"class": "reinterpret_data", "from": "output", "size_base": "data:classes", "set_sparse": False},
}
