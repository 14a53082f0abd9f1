# features of different size are axes of their own where sources may broadcast: combine, eval, compare, switch
extern_data = {"data": {"dim": 3}}
network = {"a": {"class": "linear", "activation": None, "n_out": 6, "from": "data"}, "b": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
  "c": {"class": "combine", "kind": "add", "from": ["a", "b"]}, "d": {"class": "eval", "eval": "source(0) * source(1)", "from": ["b", "a"]},
  "e": {"class": "compare", "kind": "greater", "from": ["a", "b"]}, "f": {"class": "linear", "activation": None, "n_out": 4, "from": "c"},
  "m": {"class": "compare", "kind": "greater", "value": 0.0, "from": "b"}, "s": {"class": "switch", "condition": "m", "true_from": "a", "false_from": 0.0}}
