# the same frames behind the decision, where there is no beam; and a mask of the data, which no hypothesis has anything to do with
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["emb", "data:source"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"},
  "emit": {"class": "compare", "from": "decision", "value": 0, "kind": "not_equal"},
  "labels": {"class": "masked_computation", "mask": "emit", "from": "decision", "unit": {"class": "copy"}},
  "sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data"}, "first": {"class": "compare", "from": "sum", "value": 0.0, "kind": "greater"},
  "chosen": {"class": "masked_computation", "mask": "first", "from": "output", "unit": {"class": "copy"}}}
case = {"search": True, "seed": 3, "param_scale": 1.5}
