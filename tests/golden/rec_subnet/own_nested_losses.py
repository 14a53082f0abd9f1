# losses in subnetworks in a loop
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
case = {"time": {"data": 7, "classes": 4}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
  "output": {"class": "rec", "from": [], "target": "classes", "unit": {
    "oe": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "sub": {"class": "subnetwork", "from": ["oe", "prev:s"], "subnetwork": {
       "s2": {"class": "subnetwork", "from": "data", "subnetwork": {"c": {"class":"linear", "activation": "tanh", "n_out": 2, "from": "data", "loss": "as_is"}, "output": {"class": "copy", "from": "c"}}}, "a": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["s2", "prev:a"], "loss": "as_is", "loss_scale": 0.5},
       
       "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "a"}}},
    "e": {"class": "combine", "kind": "add", "from": ["base:enc", "sub"]},
    "inner": {"class": "rec", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data:source", "prev:output"]}}, "from": "e"},
    "ctx": {"class": "reduce", "mode": "max", "axes": "T", "from": "inner"},
    "s": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["ctx", "sub"]},
    "prob": {"class": "softmax", "from": "s", "loss": "ce", "target": "classes"},
    "output": {"class": "choice", "beam_size": 1, "from": "prob", "target": "classes", "initial_output": 0}}}}
