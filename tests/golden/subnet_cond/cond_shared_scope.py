# branches of a cond with a name_scope, of their own or from the root: two branches share parameters
extern_data = {"data": {"dim": 5}}
network = {
    "first": {"class": "linear", "from": "data", "n_out": 5, "activation": "tanh", "name_scope": "/shared"},
    "c": {"class": "constant", "value": True, "dtype": "bool"},
    "own": {"class": "cond", "from": [], "condition": "c",
            "true_layer": {"class": "linear", "from": "first", "n_out": 5, "activation": None, "name_scope": "scope"},
            "false_layer": {"class": "linear", "from": "first", "n_out": 5, "activation": "tanh", "name_scope": "scope"}},
    "root": {"class": "cond", "from": [], "condition": "c",
             "true_layer": {"class": "linear", "from": "own", "n_out": 5, "activation": None, "name_scope": "/shared"},
             "false_layer": {"class": "linear", "from": "own", "n_out": 5, "activation": "tanh"}},
    "output": {"class": "cond", "from": [], "condition": {"class": "train_flag"},
               "true_layer": {"class": "linear", "from": "root", "n_out": 5, "activation": None, "name_scope": "only"},
               "false_layer": {"class": "copy", "from": "root"}},
}
