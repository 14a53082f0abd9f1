# what units leave behind a sequence's end: zeros, seen by a convolution
extern_data = {"data": {"dim": 3}}
network = {
    "a": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"},
    "b": {"class": "rec", "unit": "nativelstm2", "direction": -1, "n_out": 2, "from": "data"},
    "g": {"class": "rec", "unit": "gru", "direction": -1, "n_out": 2, "from": "data"},
    "n": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 2, "from": "data"},
    "v1": {"class": "rec", "unit": "nativelstm", "direction": -1, "n_out": 2, "from": "data"},
    "lm": {"class": "rec", "unit": "nativelstmlowmem", "n_out": 2, "from": "data"},
    "all": {"class": "copy", "from": ["a", "b", "g", "n", "v1", "lm"]},
    "c": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "activation": None, "with_bias": True, "from": "all"},
    "obj": {"class": "eval", "from": "c", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"lens": {"data": [2, 7, 1]}}
