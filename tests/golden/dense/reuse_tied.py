# tied embeddings: the embedding below uses the (transposed) output weights above; the output depends on it
behavior_version = 21
extern_data = {"data": {"dim": 11, "sparse": True}, "classes": {"dim": 11, "sparse": True}}
network = {
    "a": {"class": "linear", "n_out": 8, "activation": "tanh", "from": "emb"},
    "emb": {"class": "linear", "n_out": 8, "activation": None, "with_bias": False, "from": "data",
            "reuse_params": {"map": {"W": {"reuse_layer": "b"}}}},
    "b": {"class": "linear", "n_out": 8, "activation": "relu", "from": "c"},
    "c": {"class": "linear", "n_out": 11, "activation": "relu", "from": "a"},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
}
case = {"train": False, "search": False}
