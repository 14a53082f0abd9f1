# the choice stands in a subnetwork of the loop; search without a target
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "rec", "from": "data", "unit": {
    "sub": {"class": "subnetwork", "from": ["data:source", "emb"], "subnetwork": {"prob": {"class": "softmax", "n_out": 4, "from": "data"}, "output": {"class": "copy", "from": "prob"}}},
    "output": {"class": "choice", "beam_size": 3, "from": "sub", "target": None, "initial_output": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 2, "param_scale": 1.0}
