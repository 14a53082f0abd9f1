# the same over the outputs of a recurrent layer: the windows are behind the recurrence
extern_data = {"data": {"dim": 3}}
network = {
    "output": {"class": "rec", "from": "data", "unit": {
        "lin": {"class": "linear", "n_out": 4, "activation": "tanh", "from": ["data:source", "prev:lin"]},
        "win": {"class": "window", "window_size": 3, "from": "lin"},
        "flat": {"class": "merge_dims", "axes": "static", "from": "win"},
        "output": {"class": "linear", "n_out": 2, "activation": "tanh", "from": "flat", "loss": "as_is"},
    }},
}
