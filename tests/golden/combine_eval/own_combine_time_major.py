# combine and eval over time-major, batch-only, static and sparse sources; kinds from the tf namespace
extern_data = {"data": {"dim": 3, "time_dim_axis": 0, "batch_dim_axis": 1, "shape": (None, 3)}, "s": {"dim": 5, "sparse": True, "shape": ()}, "x4": {"dim": 2, "shape": (None, 4, 2)}}
network = {
  "avg": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
  "sub": {"class": "combine", "kind": "sub", "from": ["avg", "data"]},
  "sqd": {"class": "combine", "kind": "squared_difference", "from": ["data", "avg"]},
  "lae": {"class": "combine", "kind": "logaddexp", "from": ["data", "sub"]},
  "fd": {"class": "combine", "kind": "floordiv", "from": ["data", "avg"]},
  "md": {"class": "combine", "kind": "mod", "from": ["data", "avg"]},
  "sp": {"class": "combine", "kind": "add", "from": ["data:s", "data:s"]},
  "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "data:s"},
  "plus": {"class": "combine", "kind": "add", "from": ["data", "emb"]},
  "avg3": {"class": "combine", "kind": "average", "from": ["data", "emb", "avg"], "activation": "relu"},
  "w": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "data:x4"},
  "g4": {"class": "combine", "kind": "mul", "from": ["w", "data:x4"]},
  "v": {"class": "variable", "shape": [2], "init": 0.3},
  "g5": {"class": "eval", "eval": "source(0) * source(1) + source(2)", "from": ["g4", "v", "w"]},
  "one": {"class": "combine", "kind": "add", "from": ["data"]},
  "max3": {"class": "combine", "kind": "maximum", "from": ["plus", "data", "emb"]},
  "obj": {"class": "eval", "from": "g5", "eval": "source(0) ** 2", "loss": "as_is"}, "obj2": {"class": "eval", "from": "lae", "eval": "source(0)", "loss": "as_is"}}
