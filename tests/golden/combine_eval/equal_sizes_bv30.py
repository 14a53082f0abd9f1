# axes of one size in combine and eval: features of a smaller source go with the first axis of that size, not with the features
behavior_version = 30
extern_data = {
    "data": {"shape": (None, 4, 4)},
    "more": {"dim": 5, "available_for_inference": True},
}
network = {
    "same_times": {"class": "reinterpret_data", "from": "data", "size_base": "a"},
    "a": {"class": "linear", "from": "data:more", "n_out": 4, "activation": "tanh"},
    "first": {"class": "combine", "kind": "add", "from": ["same_times", "a"]},
    "swapped": {"class": "combine", "kind": "mul", "from": ["a", "same_times"]},
    "v": {"class": "variable", "shape": (4,), "init": "glorot_uniform"},
    "scaled": {"class": "combine", "kind": "mul", "from": ["data", "v"]},
    "l": {"class": "linear", "from": "data", "n_out": 4},
    "all": {"class": "eval", "eval": "source(0) * source(1) + source(2)", "from": ["scaled", "l", "v"]},
    "output": {"class": "reduce", "mode": "sum", "from": "all", "axis": "T", "loss": "as_is"},
    "loss": {"class": "reduce", "mode": "mean", "from": "first", "axis": ["T", "F"], "loss": "as_is"},
}
case = {"lens": {"data": [3, 5, 1], "more": [3, 5, 1]}}
