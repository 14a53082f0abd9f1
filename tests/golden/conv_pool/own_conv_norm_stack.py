# convolutions with bias, norm and activation behind each other: even filters, pooling between, one without padding
network = {
    "image": {"class": "split_dims", "from": "data", "axis": "F", "dims": (-1, 1)},
    "c1": {
        "class": "conv", "from": "image", "filter_size": (4, 3), "padding": "same", "n_out": 3, "with_bias": True,
        "activation": None,
    },
    "n1": {"class": "batch_norm", "from": "c1"},
    "a1": {"class": "activation", "activation": "swish", "from": "n1"},
    "p1": {"class": "pool", "from": "a1", "mode": "max", "pool_size": (1, 2), "padding": "same"},
    "c2": {
        "class": "conv", "from": "p1", "filter_size": (2, 2), "padding": "same", "strides": (2, 1), "n_out": 4,
        "with_bias": True, "activation": "relu",
    },
    "both": {"class": "combine", "kind": "add", "from": ["c2", "n2"]},
    "n2": {"class": "batch_norm", "from": "c2"},
    "m": {"class": "merge_dims", "from": "both", "axes": "static"},
    "c3": {
        "class": "conv", "from": "m", "filter_size": (3,), "padding": "valid", "n_out": 4, "with_bias": True,
        "activation": "tanh",
    },
    "output": {"class": "linear", "from": "c3", "n_out": 3, "activation": None, "is_output_layer": True},
}
extern_data = {"data": {"dim": 6}}
case = {"lens": {"data": [9, 6, 7]}}
