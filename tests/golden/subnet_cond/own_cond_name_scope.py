# name_scope in a branch: the parameters are the scope's, not the layer's
extern_data = {"data": {"dim": 3}}
network = {
    "output": {"class": "cond", "from": [], "condition": {"class": "train_flag"},
        "true_layer": {"class": "linear", "from": "data", "n_out": 3, "activation": None, "name_scope": "shared"},
        "false_layer": {"class": "copy", "from": "data"}, "loss": "mse", "loss_opts": {}, "target": "data"}}
case = {"train": True}
