# initial_state: list, a recurrent layer as state of another, trained variables of one-part states, ones, numbers; gradients
extern_data = {"data": {"dim": 3}}
network = {
    "m": {"class": "reduce", "mode": "mean", "axes": "T", "from": "data"},
    "h0": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "m"},
    "g": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "h0", "from": "data"},
    "g2": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "g", "direction": -1, "from": "data"},
    "gv": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "var", "from": "g2"},
    "ll": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "initial_state": ["h0", "g"], "direction": -1, "from": "gv"},
    "zo": {"class": "rec", "unit": "zoneoutlstm", "unit_opts": {"zoneout_factor_output": 0.3}, "n_out": 2, "initial_state": {"c": 1, "h": "var"}, "from": "ll"},
    "ln": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 2, "initial_state": "var", "from": "zo"},
    "lm": {"class": "rec", "unit": "nativelstmlowmem", "n_out": 2, "initial_state": "h0", "from": "ln"},
    "obj": {"class": "eval", "from": "lm", "eval": "source(0) ** 2", "loss": "as_is"},
}
