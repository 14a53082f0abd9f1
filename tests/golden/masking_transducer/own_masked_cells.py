# a masked unit in a loop: a cell with initial state, hidden states and the previous output read, a time-major loop source
extern_data = {"data": {"dim": 4}}
network = {"enc": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
  "loop": {"class": "rec", "from": "enc", "unit": {
    "sm": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"}, "m": {"class": "compare", "kind": "less", "value": 0.02, "from": "sum2"}, "sum2": {"class": "reduce", "mode": "sum", "axes": "F", "from": "prev:output"},
    "u": {"class": "masked_computation", "mask": "m", "from": "data:source", "unit": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data", "prev:output"], "initial_output": 0.5}},
    "w": {"class": "masked_computation", "mask": "prev:m2", "from": ["u"], "unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 2, "from": "data", "initial_state": 1}},
    "m2": {"class": "compare", "kind": "greater", "value": 0.0, "from": "sm", "initial_output": False},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["u", "w", "prev:u", "prev:w"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
