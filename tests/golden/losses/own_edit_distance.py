# edit_distance: labels mapped and removed, of a sequence with the target's own axis
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "hyp": {"dim": 4, "sparse": True}}
network = {
    "probs": {"class": "softmax", "from": "data", "n_out": 5},
    "map": {"class": "copy", "from": "data:hyp", "loss": "edit_distance", "target": "classes", "loss_opts": {"label_map": {0: 1, 1: 1, 2: 0, 3: 3}}},
    "remove": {"class": "copy", "from": "data:hyp", "loss": "edit_distance", "target": "classes", "loss_opts": {"label_map": {0: 0, 1: None, 2: 2, 3: 3}}},
    "same": {"class": "copy", "from": "data:classes", "loss": "edit_distance", "target": "classes"},
    "best": {"class": "softmax", "from": "data", "loss": "ce", "target": "layer:frame", "n_out": 5},
    "frame": {"class": "reduce", "mode": "argmax", "axes": "F", "from": "probs"},
}
case = {"lens": {"data": [9, 1, 6], "classes": [3, 1, 2], "hyp": [4, 2, 1]}, "param_scale": 1.0}
