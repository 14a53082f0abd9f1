# keep_beams with more successors than one, in a loop that ends by itself
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"}, "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": {
    "a": {"class": "choice", "beam_size": 2, "from": "pa", "target": "classes", "initial_output": 0, "length_normalization": False}, "eo": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "ea": {"class": "linear", "activation": None, "n_out": 2, "from": "a"}, "pa": {"class": "softmax", "from": ["base:enc", "eo"], "target": "classes"},
    "output": {"class": "choice", "beam_size": 4, "keep_beams": True, "from": "prob", "target": "classes", "initial_output": 0, "length_normalization_exponent": 0.7},
    "prob": {"class": "softmax", "from": ["ea", "base:enc"], "target": "classes"}, "end": {"class": "compare", "from": "output", "value": 0}}},
  "decision": {"class": "decide", "from": "output", "length_normalization": True}, "len": {"class": "length", "from": "output"},
  "scores": {"class": "choice_get_beam_scores", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 2.0}
