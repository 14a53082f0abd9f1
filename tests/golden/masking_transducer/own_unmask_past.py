# the previous step of an unmask layer starts with its own initial_output, not with the state of the cell that was masked
extern_data = {"data": {"dim": 3}, "v": {"dim": 4, "shape": (4,)}}
network = {"output": {"class": "rec", "from": "data", "unit": {
    "s": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"}, "k": {"class": "compare", "kind": "greater", "value": 0.0, "from": "s", "initial_output": False},
    "x": {"class": "masked_computation", "mask": "prev:k", "from": "data:source", "unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": "data"}},
    "u": {"class": "unmask", "mask": "prev:k", "from": "x", "initial_output": "base:data:v"}, "l": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["u", "prev:u"]}, "output": {"class": "copy", "from": "l"}}},
  "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "output", "loss": "as_is"}}
case = {"train": True, "seed": 1}
