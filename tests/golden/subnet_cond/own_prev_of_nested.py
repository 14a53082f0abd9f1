# prev: of a layer in a nested network, from the loop, from another nested network, with an initial output
extern_data = {"data": {"dim": 3}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
  "s": {"class": "subnetwork", "from": ["data:source", "prev:output"], "subnetwork": {"h": {"class": "linear", "n_out": 3, "activation": "tanh", "from": ["data", "prev:h"], "initial_output": "ones"}, "c": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "h"}, "output": {"class": "linear", "activation": None, "n_out": 3, "from": ["c", "h"]}}},
  "t": {"class": "subnetwork", "from": "s", "concat_sources": False, "subnetwork": {"output": {"class": "eval", "eval": "source(0) + source(1)", "from": ["data:s", "base:prev:s/h"]}}},
  "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:sub/k"]},
  "sub": {"class": "subnetwork", "from": "x", "subnetwork": {"k": {"class": "linear", "activation": "tanh", "n_out": 2}, "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "k"}}},
  "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["t", "s/h", "sub"]}}},
 "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
