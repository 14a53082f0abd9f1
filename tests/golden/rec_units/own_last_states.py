# last states of units whose state is one tensor, and of ragged sequences backwards; key flat (s2 has no loss: RETURNN's gradient of nativelstmlowmem is wrong for ragged sequences backwards)
extern_data = {"data": {"dim": 3}}
network = {
    "v1": {"class": "rec", "unit": "nativelstm", "n_out": 2, "from": "data"},
    "v1b": {"class": "rec", "unit": "nativelstm", "direction": -1, "n_out": 2, "from": "data"},
    "lm": {"class": "rec", "unit": "nativelstmlowmem", "n_out": 2, "from": "data"},
    "lmb": {"class": "rec", "unit": "nativelstmlowmem", "direction": -1, "n_out": 2, "from": "data"},
    "rnn": {"class": "rec", "unit": "basicrnn", "direction": -1, "n_out": 2, "from": "data"},
    "rhn": {"class": "rec", "unit": "rhn", "unit_opts": {"depth": 1}, "n_out": 2, "from": "data"},
    "ln": {"class": "rec", "unit": "layernormvariantslstm", "direction": -1, "n_out": 2, "from": "data"},
    "s1": {"class": "get_last_hidden_state", "n_out": 4, "from": ["v1", "v1b"]},
    "s2": {"class": "get_last_hidden_state", "n_out": 4, "from": ["lm", "lmb"], "key": None},
    "s3": {"class": "get_last_hidden_state", "n_out": 2, "from": ["rnn", "rhn"], "combine": "add"},
    "s4": {"class": "get_last_hidden_state", "n_out": 4, "from": "ln", "key": "flat"},
    "all": {"class": "copy", "from": ["s1", "s3", "s4"]},
    "obj": {"class": "eval", "from": "all", "eval": "source(0) ** 2", "loss": "as_is"},
}
