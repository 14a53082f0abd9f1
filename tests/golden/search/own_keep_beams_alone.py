# keep_beams of the only choice: all hypotheses that the first step makes go on, each with its best label
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "keep_beams": True, "from": "prob", "target": "classes", "initial_output": 0},
    "eo": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["eo", "data:source"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
