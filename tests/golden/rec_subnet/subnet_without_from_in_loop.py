# subnetworks without "from" read the data of the network around, in a loop the step's or the whole sequence
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "pre": {"class": "subnetwork", "subnetwork": {
        "n": {"class": "subnetwork", "subnetwork": {"output": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"}}},
        "output": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "n"}}},
    "loop": {"class": "rec", "from": "pre", "unit": {
        "s": {"class": "subnetwork", "subnetwork": {"output": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data:source"}}},
        "t": {"class": "subnetwork", "subnetwork": {"output": {"class": "linear", "n_out": 4, "activation": "tanh", "from": ["data:source", "base:prev:output"]}}},
        "output": {"class": "combine", "kind": "add", "from": ["s", "t"]}}},
    "output": {"class": "softmax", "from": "loop", "n_out": 4},
}
