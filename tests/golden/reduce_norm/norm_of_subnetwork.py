# batch_norm of a subnetwork shows in its layer "output", read from outside, and takes data without features
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {
  "sub": {"class": "subnetwork", "from": "data", "batch_norm": True, "subnetwork": {
    "a": {"class": "linear", "from": "data", "activation": "tanh", "n_out": 2}, "output": {"class": "copy", "from": "a"}}},
  "best": {"class": "top_k", "from": "sub", "axis": "F", "k": 1},
  "flat": {"class": "copy", "from": "best", "batch_norm": {"momentum": 0.2}},
  "obj": {"class": "eval", "from": "flat", "eval": "source(0) ** 3", "loss": "as_is"},
  "z_after": {"class": "copy", "from": "sub/output"},
  "z_before": {"class": "copy", "from": "sub/a"},
  "output": {"class": "softmax", "from": "sub", "target": "classes", "loss": "ce"}}
case = {"train": True}
