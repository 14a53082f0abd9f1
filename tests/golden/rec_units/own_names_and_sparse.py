# further names of the native LSTM, labels as input in both directions, empty unit_opts
extern_data = {"data": {"dim": 5, "sparse": True}, "other": {"dim": 3}}
network = {
    "a": {"class": "rec", "unit": "cudnnlstm", "unit_opts": {}, "direction": -1, "n_out": 2, "from": "data"},
    "b": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "data:other"},
    "c": {"class": "rec", "unit": "NATIVELSTM", "n_out": 2, "from": "data", "bias_init": 0.5},
    "d": {"class": "rec", "unit": "LstmBlockFused", "direction": 1, "n_out": 8, "from": ["a", "c"]},
    "e": {"class": "rec", "unit": "lstmblock", "input_projection": False, "direction": -1, "n_out": 2, "from": "d"},
    "obj": {"class": "eval", "from": "e", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"lens": {"data": [3, 1, 5], "other": [2, 6, 1]}}
