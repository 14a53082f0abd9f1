# a sequence without frames: its last state is the initial one
extern_data = {"data": {"dim": 3}}
network = {
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "initial_state": "ones", "from": "data"},
    "b": {"class": "rec", "unit": "nativelstm2", "direction": -1, "n_out": 2, "initial_state": "ones", "from": "data"},
    "g": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "ones", "from": "data"},
    "s": {"class": "rec", "unit": "standardlstm", "direction": -1, "n_out": 2, "initial_state": "ones", "from": "data"},
    "h": {"class": "get_last_hidden_state", "from": ["l", "b", "s"], "n_out": 12},
    "hg": {"class": "get_last_hidden_state", "from": "g", "n_out": 2},
}
case = {"lens": {"data": [3, 0, 2]}}
