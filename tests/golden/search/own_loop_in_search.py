# an inner loop in a searching loop, over what all hypotheses share
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
  "output": {"class": "rec", "from": [], "max_seq_len": 4, "target": "classes", "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "shared": {"class": "rec", "from": "base:enc", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data:source", "prev:output"]}}},
    "ms": {"class": "reduce", "mode": "max", "axes": "T", "from": "shared"},
    "end": {"class": "compare", "from": "output", "value": 0}, "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    "prob": {"class": "softmax", "from": ["emb", "ms"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
