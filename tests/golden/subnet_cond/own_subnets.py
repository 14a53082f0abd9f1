# subnetworks: nested, data sources, base:, concat_sources False, reuse over subnets, sublayer references
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
 "h": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"},
 "s": {"class": "subnetwork", "from": ["h", "data"], "concat_sources": False, "subnetwork": {
    "a": {"class": "linear", "n_out": 2, "activation": "relu", "from": "data:0"},
    "b": {"class": "linear", "n_out": 2, "activation": "relu", "from": "data:1"},
    "c": {"class": "combine", "kind": "add", "from": ["a", "b", "base:h2"]},
    "inner": {"class": "subnetwork", "from": "c", "subnetwork": {"x": {"class": "linear", "n_out": 3, "activation": None, "from": "data"}, "output": {"class": "combine", "kind": "mul", "from": ["x", "base:base:h"]}}},
    "output": {"class": "copy", "from": ["inner", "inner/x"]}}},
 "h2": {"class": "linear", "n_out": 2, "activation": None, "from": "data"},
 "s2": {"class": "subnetwork", "from": "h", "subnetwork": {"output": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"}, "aux": {"class": "linear", "n_out": 3, "activation": None, "from": "data", "reuse_params": "base:h3"}}},
 "h3": {"class": "linear", "n_out": 3, "activation": None, "from": "h"},
 "x": {"class": "copy", "from": ["s/a", "s/inner/x", "s2"]},
 "frozen": {"class": "subnetwork", "from": "data", "trainable": False, "subnetwork": {"output": {"class": "linear", "n_out": 2, "activation": "tanh"}}},
 "output": {"class": "softmax", "from": ["x", "frozen"], "loss": "ce"},
}
case = {"time": {"data": 5, "classes": 5}}
