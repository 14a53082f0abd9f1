# initial states from layers and constants, last hidden states, get_last_hidden_state keys, stacking
extern_data = {"data": {"dim": 4}, "d2": {"dim": 3}}
case = {"time": 5, "lens": {"data": [5, 1, 3], "d2": [2, 4, 1]}}
network = {
 "e": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"},
 "eb": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data", "direction": -1},
 "h": {"class": "get_last_hidden_state", "from": ["e"], "n_out": 6, "combine": "concat"},
 "hc": {"class": "get_last_hidden_state", "from": ["e"], "n_out": 3, "key": "c"}, "hh": {"class": "get_last_hidden_state", "from": ["eb"], "n_out": 3, "key": "h"},
 "d": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data:d2", "initial_state": {"h": "hh", "c": "hc"}},
 "d1": {"class": "rec", "unit": "standardlstm", "n_out": 3, "from": "data:d2", "initial_state": "ones"},
 "dz": {"class": "rec", "unit": "gru", "n_out": 3, "from": "data:d2", "initial_state": "zeros"},
 "dg": {"class": "rec", "unit": "gru", "n_out": 3, "from": "data:d2", "initial_state": "hh"},
 "dv": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data:d2", "initial_state": "var"},
 "gl": {"class": "get_last_hidden_state", "from": "dz", "n_out": 3},
 "obj": {"class": "eval", "from": ["d", "d1", "dv", "dg"], "eval": "source(0)*source(1)+source(2)*source(3)", "loss": "as_is"},
}
