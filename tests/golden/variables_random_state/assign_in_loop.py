# assignments in a loop: a variable around it and one of its own, read behind the assignment of the same step
extern_data = {"data": {"dim": 5}}
network = {
    "total": {"class": "variable", "shape": (4,), "trainable": False},
    "output": {"class": "rec", "from": "data", "unit": {
        "last": {"class": "variable", "shape": (4,), "trainable": False},
        "h": {"class": "linear", "from": ["data:source", "prev:output"], "n_out": 4, "activation": "tanh"},
        "mean": {"class": "reduce", "mode": "mean", "axes": "B", "from": "h"},
        "add": {"class": "variable_assign", "var": "base:total", "value": "mean", "op": "add"},
        "so_far": {"class": "variable_read", "var": "base:total", "control_dependencies": ["add"]},
        "both": {"class": "combine", "kind": "add", "from": ["mean", "so_far"]},
        "set": {"class": "variable_assign", "var": "last", "value": "both"},
        "sum": {"class": "combine", "kind": "add", "from": ["h", "so_far"], "activation": "tanh"},
        "output": {"class": "identity", "from": "sum", "control_dependencies": ["set"]}}},
}
case = {"fetch": ["output"], "lens": {"data": [3, 7, 1]}}
