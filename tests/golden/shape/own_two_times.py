# several inputs with different time dims; combine over dot, attention-like, concat in time, length arithmetic
extern_data = {"data": {"dim": 3}, "txt": {"dim": 5, "sparse": True}, "b": {"dim": 3}}
case = {"time": {"data": 6, "txt": 4, "b": 5}}
network = {
 "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "data:txt", "with_bias": False},
 "energy": {"class": "dot", "from": ["data", "emb"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"},
 "w0": {"class": "softmax_over_spatial", "from": "energy", "axis": "stag:extern_data:data"},
 "w1": {"class": "softmax_over_spatial", "from": "energy", "axis": "stag:txt", "energy_factor": 0.5},
 "ctx": {"class": "dot", "from": ["w0", "data"], "red1": "stag:extern_data:data", "red2": "T", "var1": "stag:txt", "var2": "F"},
 "ctx2": {"class": "generic_attention", "weights": "w0", "base": "data"},
 "red": {"class": "reduce", "mode": "max", "axis": "stag:txt", "from": "energy"},
 "red2": {"class": "reduce", "mode": "mean", "axes": ["stag:extern_data:data", "stag:txt"], "from": "energy"},
 "cat": {"class": "concat", "from": [("data", "T"), ("data:b", "T")]},
 "cat2": {"class": "concat", "from": [("emb", "T"), ("data", "T"), ("emb", "T")]},
 "rec": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "cat"},
 "post": {"class": "postfix_in_time", "postfix": 0.0, "repeat": 2, "from": "data"},
 "pre": {"class": "prefix_in_time", "prefix": 0, "from": "data:txt"},
 "e4": {"class": "combine", "kind": "add", "from": ["data_e", "emb_e"]},
 "data_e": {"class": "copy", "from": "data"},
 "emb_e": {"class": "reduce", "mode": "mean", "axes": "T", "from": "emb"},
 "merge": {"class": "merge_dims", "axes": ["stag:extern_data:data", "stag:txt"], "keep_order": True, "from": "energy"},
 "enc_out": {"class": "softmax", "from": "ctx", "loss": "ce", "target": "txt"},
}
