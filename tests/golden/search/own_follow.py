# a choice that does not search in a search by another one: its score counts
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "a": {"class": "choice", "beam_size": 3, "search": False, "length_normalization": False, "prob_scale": 0.5, "base_beam_score_scale": 0.9, "from": "pa", "target": "classes", "initial_output": 0},
    "pa": {"class": "softmax", "from": ["data:source", "emb"], "n_out": 4},
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "length_normalization": False},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "ea": {"class": "linear", "activation": None, "n_out": 2, "from": "a"}, "prob": {"class": "softmax", "from": ["data:source", "emb", "ea"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 2, "param_scale": 1.0}
