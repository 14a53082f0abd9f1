# options of TensorFlow's cells: activations, clipping, projection, forget bias, name
extern_data = {"data": {"dim": 3}}
network = {
    "a": {"class": "rec", "unit": "gru", "unit_opts": {"activation": "relu"}, "n_out": 2, "from": "data"},
    "b": {"class": "rec", "unit": "basiclstm", "unit_opts": {"activation": "softsign", "forget_bias": 0.5}, "n_out": 2, "from": "a"},
    "c": {"class": "rec", "unit": "standardlstm", "unit_opts": {"cell_clip": 0.1, "num_proj": 3, "proj_clip": 0.05, "use_peepholes": True}, "direction": -1, "n_out": 3, "from": "data"},
    "d": {"class": "rec", "unit": "basicrnn", "unit_opts": {"activation": "sigmoid"}, "n_out": 2, "from": ["c", "data"]},
    "e": {"class": "rec", "unit": "StandardLSTM", "unit_opts": {"forget_bias": -1.0, "name": "mine"}, "n_out": 2, "from": ["b", "d"]},
    "obj": {"class": "eval", "from": "e", "eval": "source(0) ** 2", "loss": "as_is"},
}
