# per hypothesis history: masked self-attention and LSTM over the labels that are no blanks, time-synchronous
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "length_normalization": False},
    "out_is_label": {"class": "compare", "from": "output", "value": 0, "kind": "not_equal", "initial_output": True},
    "lm_m": {"class": "masked_computation", "mask": "prev:out_is_label", "from": "prev:output", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
        "emb": {"class": "linear", "activation": None, "n_out": 4, "from": "data"}, "lstm": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "emb"},
        "sa": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "attention_left_only": True, "from": "emb"},
        "output": {"class": "combine", "kind": "add", "from": ["lstm", "sa"]}}}},
    "lm": {"class": "unmask", "mask": "prev:out_is_label", "from": "lm_m"},
    "prob": {"class": "softmax", "from": ["lm", "data:source"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 3, "param_scale": 1.5}
