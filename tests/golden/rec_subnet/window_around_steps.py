# windows with frames to come: RETURNN computes them outside of the loop, where these are known
extern_data = {"data": {"dim": 3}}
network = {
    "output": {"class": "rec", "from": "data", "unit": {
        "lin": {"class": "linear", "n_out": 4, "activation": "tanh", "from": "data:source"},
        "win": {"class": "window", "window_size": 3, "from": "lin"},
        "flat": {"class": "merge_dims", "axes": "static", "from": "win"},
        "output": {"class": "linear", "n_out": 2, "activation": "tanh", "from": "flat", "loss": "as_is"},
    }},
}
