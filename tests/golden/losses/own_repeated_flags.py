# loss_only_on_non_search, only_on_eval and L2 in training; a loss of scale 0
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "softmax", "from": "data", "loss": "ce", "loss_only_on_non_search": True, "target": "classes", "L2": 0.1},
    "z": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"scale": 0}},
}
case = {"train": True}
