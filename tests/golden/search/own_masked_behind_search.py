# the frames that the hypotheses of a search choose: labels without blanks, their posteriors, an LSTM over the encoder there
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"}, "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "length_normalization": False},
    "emit": {"class": "compare", "from": "output", "value": 0, "kind": "not_equal", "is_output_layer": True},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["emb", "data:source"], "target": "classes", "is_output_layer": True}}},
  "labels": {"class": "masked_computation", "mask": "output/emit", "from": "output", "unit": {"class": "copy", "initial_output": 0}},
  "frames": {"class": "masked_computation", "mask": "output/emit", "from": "output/prob", "unit": {"class": "copy"}},
  "lstm": {"class": "masked_computation", "mask": "output/emit", "from": "enc", "unit": {"class": "rec", "unit": "lstm", "n_out": 2}},
  "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lstm"},
  "decided_labels": {"class": "decide", "from": "labels"}, "decided_mean": {"class": "decide", "from": "mean"}}
case = {"search": True, "seed": 3, "param_scale": 1.5}
