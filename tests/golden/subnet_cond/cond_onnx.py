# a branch gives one value as several results: a layer inside that is asked for, and the output that copies it
extern_data = {"data": {"dim": 5}, "cond": {"shape": (), "batch_dim_axis": None, "time_dim_axis": None, "dtype": "bool", "sparse": False}}
network = {
    "c": {"class": "cond", "from": [], "condition": "data:cond",
        "true_layer": {"class": "subnetwork", "from": "data", "subnetwork": {
            "a": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data", "is_output_layer": True},
            "output": {"class": "copy", "from": "a"}}},
        "false_layer": {"class": "subnetwork", "from": "data", "subnetwork": {
            "a": {"class": "linear", "n_out": 4, "activation": "relu", "from": "data", "is_output_layer": True},
            "output": {"class": "copy", "from": "a"}}}},
    "output": {"class": "combine", "kind": "add", "from": ["c/a", "c"]},
}
case = {"train": False, "search": False}
