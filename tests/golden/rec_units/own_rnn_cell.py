# rnn_cell outside of a loop: one-part states, initial states, LSTM block, several sources
extern_data = {"data": {"dim": 3}}
network = {
    "m": {"class": "reduce", "mode": "max", "axes": "T", "from": "data"},
    "a": {"class": "rnn_cell", "unit": "gru", "n_out": 3, "initial_state": "m", "from": "data"},
    "b": {"class": "rnn_cell", "unit": "basicrnn", "n_out": 2, "initial_state": "ones", "from": ["a", "data"]},
    "c": {"class": "rnn_cell", "unit": "LSTMBlock", "unit_opts": {"forget_bias": 0.0}, "n_out": 2, "initial_state": "var", "from": "b"},
    "d": {"class": "rnn_cell", "unit": "vanillalstm", "n_out": 2, "weights_init": "glorot_uniform", "from": "c"},
    "last": {"class": "get_last_hidden_state", "from": ["d", "c"], "n_out": 4, "key": "h"},
    "lastg": {"class": "get_last_hidden_state", "from": "a", "n_out": 3},
    "all": {"class": "copy", "from": ["last", "lastg"]},
    "obj": {"class": "eval", "from": "all", "eval": "source(0) ** 2", "loss": "as_is"},
}
