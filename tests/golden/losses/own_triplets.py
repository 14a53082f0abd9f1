# triplets per frame of ragged sequences, and two views of one per sequence, whose loss is a mean of its own
extern_data = {
    "data": {"dim": 4},
    "words": {"dim": 5, "sparse": True, "shape": (None, 3)},
    "pairs": {"dim": 4, "sparse": True, "shape": (3,)},
}
network = {
    "frames": {"class": "linear", "from": "data", "n_out": 6, "activation": "tanh"},
    "one": {"class": "copy", "from": "frames", "loss": "triplet_loss", "target": "words", "loss_opts": {"margin": 0.4}},
    "last": {"class": "rec", "unit": "nativelstm2", "from": "frames", "n_out": 5},
    "end": {"class": "get_last_hidden_state", "from": "last", "key": "h", "n_out": 5},
    "views": {"class": "linear", "from": "end", "n_out": 12, "activation": None},
    "output": {"class": "copy", "from": "views", "loss": "triplet_loss", "target": "pairs",
               "loss_opts": {"margin": 0.9, "multi_view_training": True, "use_normalized_loss": True, "scale": 0.5}},
}
case = {"lens": {"data": [4, 1, 3], "words": [4, 1, 3]}, "time": 4}
