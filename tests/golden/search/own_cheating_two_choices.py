# cheating in the second choice of a step only: the true label's origin is found among the first one's hypotheses
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "other": {"dim": 3, "sparse": True}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "a": {"class": "choice", "beam_size": 3, "from": "pa", "target": "other", "initial_output": 0}, "eo": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "ea": {"class": "linear", "activation": None, "n_out": 2, "from": "a"}, "pa": {"class": "softmax", "from": ["data:source", "eo"], "n_out": 3},
    "output": {"class": "choice", "beam_size": 3, "cheating": "exclusive", "from": "prob", "target": "classes", "initial_output": 0},
    "prob": {"class": "softmax", "from": ["ea", "data:source"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
