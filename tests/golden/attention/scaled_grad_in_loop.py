# scaled_grad in a loop: the scale is computed per step, the shift goes by the sum of the features' gradients
behavior_version = 21
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "unit": {
        "h": {"class": "linear", "n_out": 4, "activation": "tanh", "from": ["data:source", "prev:g"]},
        "s": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"},
        "g": {"class": "scaled_grad", "from": "h", "scale": "s", "shift": 0.1, "scale_shift_by_sum_over_axis": "F"},
        "output": {"class": "softmax", "from": "g", "loss": "ce", "target": "classes"}}},
}
case = {"lens": {"data": [3, 7, 1], "classes": [3, 7, 1]}}
