# batch_norm of what a search found: its statistics are over all hypotheses
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {"enc": {"class": "linear", "n_out": 6, "activation": "tanh", "with_bias": True, "from": "data"},
  "enc_mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
  "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": {
    "emb": {"class": "linear", "n_out": 6, "activation": None, "with_bias": False, "from": "prev:output", "initial_output": 0},
    "in": {"class": "combine", "kind": "add", "from": ["emb", "base:enc_mean"]},
    "prob": {"class": "softmax", "n_out": 4, "with_bias": True, "from": "in"},
    "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
    "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0}}},
  "feat": {"class": "linear", "n_out": 5, "with_bias": True, "from": "output"},
  "bn": {"class": "batch_norm", "from": "feat"}, "bn2": {"class": "batch_norm", "from": "feat", "masked_time": False}}
case = {"search": True}
