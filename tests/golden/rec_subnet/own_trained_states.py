# names of trained initial states: beside the unit's variables where the cell stays in the loop, among them where it leaves it
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "rec", "from": "data", "unit": {
    "free": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data:source", "initial_state": "var"}, "last": {"class": "rnn_cell", "unit": "gru", "n_out": 2, "from": "l", "initial_state": "var"},
    "bound": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["free", "prev:l"], "initial_state": {"c": "var", "h": "var"}},
    "sub": {"class": "subnetwork", "from": ["bound", "prev:sub"], "subnetwork": {"output": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data", "initial_state": {"c": "var", "h": "zeros"}}}},
    "l": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["bound", "sub"]}, "output": {"class": "copy", "from": ["l", "last"]}}}, "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "output", "loss": "as_is"}}
case = {"train": True, "seed": 2}
