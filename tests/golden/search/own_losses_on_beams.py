# losses behind a search count every hypothesis
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "prob": {"class": "softmax", "from": ["data:source", "emb"], "target": "classes", "is_output_layer": True, "loss": "ce"}}},
  "probs": {"class": "copy", "from": "output/prob"}, "best_probs": {"class": "decide", "from": "probs"},
  "wer": {"class": "copy", "from": "output", "loss": "edit_distance", "target": "classes"},
  "dense": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "output"}, "sum": {"class": "reduce", "mode": "mean", "axis": "T", "from": "dense"}, "best_sum": {"class": "decide", "from": "sum"},
  "decision": {"class": "decide", "from": "output", "loss": "edit_distance", "target": "classes"}}
case = {"search": True, "seed": 2, "param_scale": 1.0, "lens": {"data": [7, 3, 1], "classes": [7, 3, 1]}}
