# size_base behind an upsampling that rounds up: frames behind the longest sequence of the base are cut off
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {
    "down": {"class": "pool", "mode": "max", "padding": "same", "pool_size": (3,), "strides": 3, "from": "data"},
    "up": {"class": "transposed_conv", "activation": None, "filter_size": (3,), "strides": (3,), "n_out": 5,
           "from": "down", "with_bias": True},
    "cut": {"class": "reinterpret_data", "from": "up", "size_base": "data:classes"},
    "output": {"class": "softmax", "from": "cut", "target": "classes", "loss": "ce"},
}
case = {"time": 7, "train": True, "lens": {"data": [7, 6, 2], "classes": [7, 6, 2]}, "param_scale": 1.0}
