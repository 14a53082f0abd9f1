# two loops inside of each other; the inner one attends to a sequence outside of both, over the outer loop's own axis
extern_data = {"data": {"dim": 3}, "other": {"dim": 2}}
case = {"time": {"data": 6, "other": 4}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "loop": {"class": "rec", "from": "enc", "unit": {
    "q": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:output"]},
    "inner": {"class": "rec", "from": "base:data:other", "optimize_move_layers_out": False, "unit": {
        "iq": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:output", "base:q", "base:prev:q"]},
        "att": {"class": "dot_attention", "base": "base:base:enc", "base_ctx": "base:base:enc", "from": "iq"},
        "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["att", "iq"]}}},
    "mean": {"class": "reduce", "mode": "max", "axes": "T", "from": "inner"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["mean", "q"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
