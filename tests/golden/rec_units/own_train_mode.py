# training: L2, shared parameters by a map, name_scope, zoneout and dropout of zero
behavior_version = 21
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "rec", "unit": "nativelstm2", "unit_opts": {"rec_weight_dropout": 0.0}, "n_out": 3, "L2": 0.1, "from": "data"},
    "b": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "L2": 0.1, "direction": -1, "from": "a", "reuse_params": {"map": {"W": {"reuse_layer": "a"}, "W_re": None, "b": {"reuse_layer": "a"}}}},
    "c": {"class": "rec", "unit": "zoneoutlstm", "n_out": 2, "name_scope": "elsewhere", "L2": 0.01, "from": "b"},
    "d": {"class": "rec", "unit": "layernormvariantslstm", "unit_opts": {"dropout": 0.0, "dropout_h": 0.0, "hidden_norm": True}, "n_out": 5, "from": ["c", "data"]},
    "e": {"class": "rnn_cell", "unit": "rhn", "n_out": 2, "name_scope": "at", "from": "d"},
    "output": {"class": "softmax", "loss": "ce", "from": "e"},
}
case = {"train": True}
