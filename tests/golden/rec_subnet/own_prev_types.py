# the type of a previous step follows from layers that need it themselves: a layer of its own past alone, nested loops, switches, masks
extern_data = {"data": {"dim": 3}, "other": {"dim": 2}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data:other"}, "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
  "output": {"class": "rec", "from": "data", "unit": {
    "own": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "prev:own", "initial_output": "base:mean"},
    "half": {"class": "linear", "activation": None, "n_out": 8, "from": "prev:normed"}, "gated": {"class": "gating", "activation": "identity", "from": "half"}, "normed": {"class": "layer_norm", "from": "gated"},
    "past": {"class": "copy", "from": "prev:pooled"}, "inner": {"class": "rec", "from": "base:enc", "unit": {"l": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:l", "base:past"]}, "output": {"class": "copy", "from": "l"}}}, "pooled": {"class": "reduce", "mode": "mean", "axis": "T", "from": "inner"},
    "sum": {"class": "reduce", "mode": "sum", "axes": "F", "from": "prev:cell"}, "small": {"class": "compare", "kind": "less", "value": 0.05, "from": "sum"}, "cell": {"class": "masked_computation", "mask": "small", "from": "prev:held", "unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": "data"}},
    "held": {"class": "switch", "condition": "small", "true_from": "last", "false_from": "prev:held"}, "last": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:own"]},
    "output": {"class": "copy", "from": ["own", "normed", "pooled", "cell", "held"]}}}, "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "output", "loss": "as_is"}}
case = {"train": True, "seed": 3, "param_scale": 0.7}
