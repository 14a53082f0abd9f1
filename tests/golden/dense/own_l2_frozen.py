# L2 counts for parameters that are not trained, also in subnetworks and batch_norm; a frozen parent freezes what is inside; trainable None is False
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [5, 3, 4], "classes": [5, 3, 4]}}
behavior_version = 12
network = {
 "a": {"class": "linear", "activation": "relu", "n_out": 5, "from": "data", "L2": 0.01, "trainable": False},
 "n": {"class": "linear", "activation": "relu", "n_out": 5, "from": "data", "L2": 0.02, "trainable": None},
 "e": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "a", "L2": 0.03, "trainable": False},
 "s": {"class": "subnetwork", "from": "e", "L2": 0.5, "trainable": False, "subnetwork": {
   "x": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data", "L2": 0.04, "trainable": True},
   "in": {"class": "subnetwork", "from": "data", "subnetwork": {"output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data", "trainable": True}}},
   "bn": {"class": "batch_norm", "from": "x", "masked_time": True, "L2": 0.07},
   "output": {"class": "rec", "unit": "gru", "n_out": 3, "from": ["bn", "in"]}}},
 "t": {"class": "subnetwork", "from": "n", "L2": 0.3, "subnetwork": {"output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}}},
 "bn": {"class": "batch_norm", "from": "a", "masked_time": True, "L2": 0.05},
 "reuse": {"class": "linear", "n_out": 5, "activation": None, "from": "data", "reuse_params": "n", "L2": 0.06},
 "output": {"class": "softmax", "from": ["s", "t", "n", "bn", "reuse"], "loss": "ce"},
}
