# cond: subnetworks with parameters of their own, an inner loss and L2, reached sub-layers, a scalar condition from data
behavior_version = 12
extern_data = {"data": {"dim": 3}}
case = {"train": True, "fetch_extra": ("y/h",)}
_sub = lambda act, n: {"class": "subnetwork", "from": "data", "subnetwork": {
  "h": {"class": "linear", "activation": act, "n_out": n, "from": "data", "L2": 0.1, "is_output_layer": True},
  "l": {"class": "reduce", "mode": "sum", "axis": "F", "from": "h", "loss": "as_is"},
  "output": {"class": "linear", "activation": None, "n_out": 2, "from": "h"}}}
network = {"s": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "data"}, "c": {"class": "compare", "kind": "less", "value": 1000.0, "from": "s"},
  "y": {"class": "cond", "from": [], "condition": "c", "L2": 0.3, "true_layer": _sub("tanh", 4), "false_layer": _sub("relu", 4)},
  "z": {"class": "linear", "from": "y", "n_out": 2, "activation": "tanh", "loss": "as_is"}}
