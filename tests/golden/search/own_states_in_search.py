# what layers remember of earlier steps belongs to the hypothesis: cumsum, window, self-attention, cum_concat
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}, "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc')", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 1},
    "end": {"class": "compare", "from": "output", "value": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 4, "from": "prev:output"},
    "sum": {"class": "cumsum", "axis": "T", "from": "emb"}, "sa": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "attention_left_only": True, "from": "sum"},
    "win": {"class": "window", "window_size": 3, "window_right": 0, "from": "emb"}, "wm": {"class": "merge_dims", "axes": "static", "from": "win"},
    "energy": {"class": "dot", "from": ["base:enc", "sa"], "red1": "F", "red2": "F", "var1": "T", "var2": "T?"}, "w": {"class": "softmax_over_spatial", "from": "energy"}, "att": {"class": "generic_attention", "weights": "w", "base": "base:enc"},
    "prob": {"class": "softmax", "from": ["sa", "wm", "att"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 4, "param_scale": 1.0}
