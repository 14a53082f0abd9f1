# a loop in a loop that reads the outer step; the outer loop's own sequence seen whole from inside, and attention over it
extern_data = {"data": {"dim": 3}, "other": {"dim": 3}}
case = {"time": {"data": 6, "other": 4}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "loop": {"class": "rec", "from": "enc", "unit": {
    "q": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:output"]},
    "mix": {"class": "combine", "kind": "mul", "from": ["base:data:other", "q"]},
    "inner": {"class": "rec", "optimize_move_layers_out": False, "from": "mix", "unit": {
        "h": {"class": "combine", "kind": "add", "from": ["base:q", "data:source"]},
        "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["h", "prev:output"]}}},
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "inner"},
    "att": {"class": "dot_attention", "base": "base:enc", "base_ctx": "base:enc", "from": "q"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["att", "mean"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
