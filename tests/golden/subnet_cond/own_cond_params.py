# cond: parameters of both branches under the layer's own name; shared where they agree
behavior_version = 12
extern_data = {"data": {"dim": 3}}
network = {"s": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "data"}, "c": {"class": "compare", "kind": "less", "value": 1000.0, "from": "s"},
  "y": {"class": "cond", "from": [], "condition": "c", "trainable": True, "true_layer": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data", "L2": 0.5}, "false_layer": {"class": "linear", "activation": "relu", "n_out": 2, "from": "data"}},
  "z": {"class": "linear", "n_out": 2, "activation": "relu", "from": "data", "reuse_params": "y"}, "obj": {"class": "eval", "from": "y", "eval": "source(0) ** 2", "loss": "as_is"}}
