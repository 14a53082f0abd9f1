# as own_batch_norm_in_search, mixing statistics of batch and run
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {"enc": {"class": "linear", "n_out": 6, "activation": "tanh", "with_bias": True, "from": "data"},
  "enc_mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
  "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": {
    "emb": {"class": "linear", "n_out": 6, "activation": None, "with_bias": False, "from": "prev:output", "initial_output": 0},
    "in": {"class": "combine", "kind": "add", "from": ["emb", "base:enc_mean"]},
    "bn": {"class": "batch_norm", "masked_time": False, "force_sample": True, "use_sample": 0.3, "momentum": 0.5, "from": "in"},
    "prob": {"class": "softmax", "n_out": 4, "with_bias": True, "from": "bn"},
    "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
    "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0}}},
  "decision": {"class": "decide", "from": "output", "target": "classes"}}
case = {"search": True}
