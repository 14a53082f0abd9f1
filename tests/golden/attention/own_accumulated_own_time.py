# attention weights over the axis of the loop itself, accumulated from an initial output: that axis is there before anything reads the encoder as a whole
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "output": {"class": "rec", "from": "enc", "unit": {
    "feedback": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "prev:accum"},
    "query": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["prev:att", "data:source"]},
    "energy_in": {"class": "combine", "kind": "add", "from": ["feedback", "query", "base:enc"]},
    "energy": {"class": "linear", "activation": "tanh", "n_out": 1, "from": "energy_in"},
    "weights": {"class": "softmax_over_spatial", "from": "energy"},
    "accum": {"class": "eval", "from": ["prev:accum", "weights"], "eval": "source(0) + source(1)", "initial_output": 0, "out_type": {"dim": 1, "shape": (None, 1)}, "is_output_layer": True},
    "att0": {"class": "generic_attention", "weights": "weights", "base": "base:enc"},
    "att": {"class": "merge_dims", "axes": "except_batch", "from": "att0"},
    "output": {"class": "copy", "from": "att"}}}}
case = {"seed": 3, "param_scale": 1.0}
