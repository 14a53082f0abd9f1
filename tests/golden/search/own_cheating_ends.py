# cheating in a loop that ends by itself, which runs no further than the target
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"}, "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"}, "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc')", "unit": {
    "output": {"class": "choice", "beam_size": 3, "cheating": "exclusive", "from": "prob", "target": "classes", "initial_output": 1},
    "end": {"class": "compare", "from": "output", "value": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["base:mean", "emb"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 3, "param_scale": 1.0}
