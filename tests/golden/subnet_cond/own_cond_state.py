# cond: running statistics within a branch, in training
behavior_version = 12
extern_data = {"data": {"dim": 3}}
case = {"train": True}
network = {"f": {"class": "train_flag"}, "s": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "data"}, "c": {"class": "compare", "kind": "less", "value": 1000.0, "from": "s"},
  "y": {"class": "cond", "from": [], "condition": "c", "true_layer": {"class": "batch_norm", "masked_time": True, "from": "data"}, "false_layer": {"class": "copy", "from": "data"}},
  "y2": {"class": "cond", "from": [], "condition": "f", "true_layer": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "false_layer": {"class": "copy", "from": "data"}}, "obj": {"class": "eval", "from": ["y", "y2"], "eval": "source(0) ** 2 * source(1)", "loss": "as_is"}}
