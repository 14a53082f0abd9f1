# grad_filter: a sequence whose largest squared gradient is not below the threshold gives none; on labels per feature
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}, "labels": {"dim": 4, "sparse": True}}
network = {
    "h": {"class": "linear", "from": "data", "n_out": 4, "activation": "tanh"},
    "filtered": {"class": "linear", "from": "h", "n_out": 4, "activation": "tanh", "grad_filter": 0.02},
    "output": {"class": "softmax", "from": "filtered", "loss": "ce", "target": "classes"},
    "emb": {"class": "linear", "from": "data:labels", "n_out": 4, "activation": "tanh", "grad_filter": 0.02},
    "aux": {"class": "softmax", "from": "emb", "loss": "ce", "target": "classes"},
}
