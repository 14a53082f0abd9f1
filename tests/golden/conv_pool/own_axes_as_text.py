# convolutions over one of two spatial axes, given as a text: dilation, padding by numbers, an axis left alone
extern_data = {"img": {"shape": (None, 4, 6), "dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "c1": {"class": "conv", "from": "data:img", "in_spatial_dims": "T", "filter_size": [3], "padding": (1,),
           "n_out": 6, "activation": "tanh"},
    "c2": {"class": "conv", "from": "c1", "in_spatial_dims": ["dim:4"], "filter_size": (2,), "padding": "valid",
           "dilation_rate": 2, "n_out": 3, "activation": None, "with_bias": False},
    "p": {"class": "pool", "from": "c2", "in_spatial_dims": "T", "pool_size": [2], "padding": "same", "strides": 1, "mode": "avg"},
    "m": {"class": "merge_dims", "from": "p", "axes": ["dim:2", "F"], "keep_order": True},
    "output": {"class": "softmax", "from": "m", "loss": "ce", "target": "classes"},
}
case = {"lens": {"img": [5, 1, 3], "classes": [5, 1, 3]}, "time": 5}
