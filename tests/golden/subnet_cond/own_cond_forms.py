# cond: the condition as a layer dict, other axis order, broadcasting branch, labels, batch without time
behavior_version = 12
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {"s": {"class": "reduce", "mode": "sum", "axes": ["B", "T", "F"], "from": "data"},
  "a": {"class": "linear", "n_out": 4, "activation": None, "from": "data"}, "r": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
  "y": {"class": "cond", "from": [], "condition": {"class": "compare", "kind": "greater", "value": 1000.0, "from": "s"}, "true_layer": {"class": "copy", "from": "a"}, "false_layer": {"class": "copy", "from": "r"}},
  "y1": {"class": "cond", "from": [], "condition": {"class": "compare", "kind": "less", "value": 1000.0, "from": "s"}, "true_layer": {"class": "copy", "from": "r"}, "false_layer": {"class": "copy", "from": "a"}},
  "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
  "y2": {"class": "cond", "from": [], "condition": {"class": "compare", "kind": "less", "value": 1000.0, "from": "s"}, "true_layer": {"class": "linear", "n_out": 2, "activation": "tanh", "from": ["m"]}, "false_layer": {"class": "linear", "n_out": 2, "activation": "relu", "from": "m"}},
  "y3": {"class": "cond", "from": [], "condition": {"class": "compare", "kind": "less", "value": 0.0, "from": "s"}, "true_layer": {"class": "copy", "from": "data:classes"}, "false_layer": {"class": "eval", "eval": "tf.minimum(source(0) + 1, 4)", "from": "data:classes", "out_type": {"dim": 5, "sparse": True}}}}
