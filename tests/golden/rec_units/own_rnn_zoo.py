# recurrent units in several modes: initial states, bidirectional, no time, sparse input, time-major, several sources
extern_data = {"data": {"dim": 4}, "sp": {"dim": 6, "sparse": True}, "tm": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}, "st": {"shape": (3,), "dim": 3}}
case = {"time": 5, "lens": {"data": [5, 1, 3], "sp": [5, 1, 3], "tm": [2, 5, 1]}}
network = {}
for u in ["lstm", "nativelstm2", "nativelstm", "lstmp", "lstmblock", "standardlstm", "basiclstm", "gru", "lstmblockfused", "basicrnn", "nativelstmlowmem", "rnn", "layernormvariantslstm", "rhn", "blockgru", "layernormlstm", "zoneoutlstm", "bidirectionallstm" ]:
    if u in ("bidirectionallstm", "layernormlstm","rnn","blockgru","lstmblockfused"): continue
    network["a_" + u] = {"class": "rec", "unit": u, "n_out": 3, "from": "data"}
    network["b_" + u] = {"class": "rec", "unit": u, "n_out": 3, "from": "data", "direction": -1, "L2": 0.01}
    if u in ("lstm","nativelstm2","lstmp","nativelstm"): network["s_" + u] = {"class": "rec", "unit": u, "n_out": 3, "from": "data:sp"}
    network["t_" + u] = {"class": "rec", "unit": u, "n_out": 3, "from": "data:tm", "direction": -1}
network["obj"] = {"class": "eval", "from": ["a_" + u for u in ["lstm", "gru", "standardlstm", "zoneoutlstm", "layernormvariantslstm"]], "eval": "source(0)+source(1)*source(2)-source(3)**2+source(4)", "loss": "as_is"}
network["obj2"] = {"class": "eval", "from": ["t_lstm", "t_lstmblock"], "eval": "source(0)*source(1)", "loss": "as_is"}
