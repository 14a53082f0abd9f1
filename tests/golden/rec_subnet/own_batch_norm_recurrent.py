# batch_norm of a layer that needs its own past: statistics of each step; how the running ones move differs with TensorFlow's kernel
behavior_version = 21
extern_data = {"data": {"dim": 3}}
network = {"fused": {"class": "rec", "from": "data", "unit": {
    "x": {"class": "linear", "activation": None, "n_out": 4, "from": ["data:source", "prev:output"]}, "bn": {"class": "batch_norm", "from": "x", "masked_time": False}, "output": {"class": "activation", "activation": "relu", "from": "bn"}}},
  "mixed": {"class": "rec", "from": "data", "unit": {
    "x": {"class": "linear", "activation": None, "n_out": 4, "from": ["data:source", "prev:output"]}, "bn": {"class": "batch_norm", "from": "x", "masked_time": False, "use_sample": 0.2}, "output": {"class": "activation", "activation": "tanh", "from": "bn"}}},
  "both": {"class": "copy", "from": ["fused", "mixed"]}, "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "both", "loss": "as_is"}}
case = {"train": True, "batch": 12, "lens": {"data": [3] * 12}}
