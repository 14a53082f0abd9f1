# random_sample_scale so small that it changes nothing
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 2, "from": "prob", "input_type": "logits", "target": "classes", "initial_output": 0, "random_sample_scale": 1e-7},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "prob": {"class": "linear", "activation": None, "n_out": 4, "from": ["data:source", "emb"]}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 2, "param_scale": 1.0}
