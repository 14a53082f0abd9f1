# maxima of windows that see nothing but padding, in one of two axes, and means of the same windows
extern_data = {"img": {"shape": (None, 4, 3), "dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "in": {"class": "linear", "from": "data:img", "n_out": 3, "activation": "tanh"},
    "max": {"class": "pool", "from": "in", "mode": "max", "in_spatial_dims": ["T", "dim:4"], "pool_size": (3, 1), "padding": 1},
    "avg": {"class": "pool", "from": "in", "mode": "avg", "in_spatial_dims": ["T", "dim:4"], "pool_size": (3, 1), "padding": 1},
    "seen": {"class": "eval", "from": ["max", "avg"], "eval": "tf.maximum(source(0), -2.0) * source(1)"},
    "output": {"class": "linear", "from": "seen", "n_out": 2, "activation": "tanh", "loss": "as_is"},
}
case = {"lens": {"img": [7, 1, 4], "classes": [7, 1, 4]}}
