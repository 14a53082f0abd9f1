# subnetworks: sources by name and number, nested ones, base: of base:, sharing of single layers, name scopes, output layers
extern_data = {"data": {"dim": 3}, "aux": {"dim": 2}}
network = {
    "a": {"class": "linear", "activation": "relu", "n_out": 2, "from": "data"},
    "sep": {"class": "subnetwork", "from": ["data", "a"], "concat_sources": False, "subnetwork": {
        "x": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
        "y": {"class": "combine", "kind": "add", "from": ["x", "data:a"]},
        "extra": {"class": "linear", "activation": None, "n_out": 3, "from": "data:1", "is_output_layer": True},
        "output": {"class": "combine", "kind": "mul", "from": ["y", "data:1"]}}},
    "deep": {"class": "subnetwork", "from": ["sep", "sep/x"], "subnetwork": {
        "in": {"class": "subnetwork", "from": "data", "subnetwork": {
            "lin": {"class": "linear", "activation": None, "n_out": 2, "from": ["data", "base:base:a"], "L2": 0.1},
            "output": {"class": "activation", "activation": "tanh", "from": "lin"}}},
        "again": {"class": "linear", "activation": None, "n_out": 2, "from": ["data", "base:a"], "reuse_params": "in/lin"},
        "output": {"class": "combine", "kind": "add", "from": ["in", "again"]}}},
    "named": {"class": "subnetwork", "from": "a", "name_scope": "my/scope", "subnetwork": {
        "l": {"class": "linear", "activation": None, "n_out": 2, "from": "data", "name_scope": ""},
        "output": {"class": "linear", "activation": None, "n_out": 2, "from": "l", "name_scope": "/top"}}},
    "lone": {"class": "subnetwork", "from": [], "subnetwork": {"output": {"class": "linear", "activation": None, "n_out": 2, "from": "base:sep"}}},
    "obj": {"class": "eval", "from": ["deep", "named", "lone"], "eval": "(source(0) + source(1) * source(2)) ** 2", "loss": "as_is"},
}
case = {"fetch_extra": ["sep/extra", "deep/in/lin", "deep/in"]}
