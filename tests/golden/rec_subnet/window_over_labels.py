# windows over the embeddings of labels, into the past and around the step, decide the next label
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "lin": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "prev:output"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "win": {"class": "window", "window_size": 4, "window_left": 3, "from": "lin"},
        "win2": {"class": "window", "window_size": 4, "window_left": 1, "from": "lin"},
        "flat": {"class": "merge_dims", "axes": "static", "from": "win"},
        "flat2": {"class": "merge_dims", "axes": "static", "from": "win2"},
        "prob": {"class": "softmax", "target": "classes", "from": ["flat", "flat2"], "loss": "ce"},
    }},
}
