# two independent sources of one choice, pruned separately; both labels fed back
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}, "other": {"dim": 5, "sparse": True, "available_for_inference": False}}
network = {"output": {"class": "rec", "from": "data", "target": ["classes", "other"], "unit": {
    "output": {"class": "choice", "beam_size": 4, "source_beam_sizes": [3, 2], "from": ["pa", "pb"], "target": ["classes", "other"], "initial_output": 0},
    "second": {"class": "copy", "from": "output/out_1", "initial_output": 0, "is_output_layer": True},
    "ea": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "eb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:second"},
    "pa": {"class": "softmax", "from": ["data:source", "ea", "eb"], "n_out": 4}, "pb": {"class": "softmax", "from": ["data:source", "ea", "eb"], "n_out": 5}}},
  "decision": {"class": "decide", "from": "output"}, "decision2": {"class": "decide", "from": "output/second"}}
case = {"search": True, "seed": 3, "param_scale": 1.0}
