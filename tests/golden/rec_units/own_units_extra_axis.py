# every kind of unit on an input with a further static axis, forwards and backwards
extern_data = {"data": {"dim": 2, "shape": (None, 3, 2)}}
network = {
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"},
    "s": {"class": "rec", "unit": "standardlstm", "direction": -1, "n_out": 2, "from": "data"},
    "g": {"class": "rec", "unit": "gru", "n_out": 2, "from": "l"},
    "p": {"class": "rec", "unit": "standardlstm", "unit_opts": {"use_peepholes": True}, "direction": -1, "n_out": 2, "from": "g"},
    "n": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 3, "from": "s"},
    "h": {"class": "rec", "unit": "rhn", "unit_opts": {"depth": 2}, "direction": -1, "n_out": 2, "from": "data"},
    "all": {"class": "copy", "from": ["p", "n", "h"]},
    "obj": {"class": "reduce", "mode": "sum", "axes": "static:0", "from": "all", "loss": "as_is"},
}
