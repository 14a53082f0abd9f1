# cond in a searching loop: by the step, between what hypotheses have and what they share
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
    "early": {"class": "compare", "kind": "less", "value": 2, "from": ":i"},
    "x": {"class": "cond", "from": [], "condition": "early",
          "true_layer": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["emb", "data:source"]}, "false_layer": {"class": "copy", "from": "data:source"}},
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    "prob": {"class": "softmax", "from": ["x", "emb"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
