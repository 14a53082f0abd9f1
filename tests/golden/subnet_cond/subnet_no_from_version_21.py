# a subnetwork without "from" reads the data, in every behaviour version
behavior_version = 21
extern_data = {"data": {"dim": 5}}
network = {
    "output": {"class": "subnetwork", "subnetwork": {
        "output": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"}}},
}
case = {"train": False, "search": False}
