# reuse_params in and around loops; no effect on the loop layer itself
extern_data = {"data": {"dim": 3}}
network = {
  "lin": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "loop": {"class": "rec", "from": "lin", "unit": {"a": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data:source", "reuse_params": "base:lin"}, "output": {"class": "combine", "kind": "add", "from": ["a", "prev:output"]}}},
  "loop2": {"class": "rec", "from": "loop", "reuse_params": "loop", "unit": {"a": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data:source"}, "output": {"class": "combine", "kind": "add", "from": ["a", "prev:output"]}}},
  "post": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "loop2", "reuse_params": "loop2/a"},
  "obj": {"class": "eval", "from": "post", "eval": "source(0) ** 2", "loss": "as_is"}}
