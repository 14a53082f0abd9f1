# layers and losses behind a search that ends by itself; every hypothesis has its own length
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
  "output": {"class": "rec", "from": [], "size_target": None, "max_seq_len": 5, "include_eos": True, "unit": {
    "output": {"class": "choice", "beam_size": 4, "from": "prob", "target": "classes", "initial_output": 0},
    "end": {"class": "compare", "from": "output", "value": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["emb", "base:mean"]}, "prob": {"class": "softmax", "from": "s", "target": "classes"}}},
  "decision": {"class": "decide", "from": "output", "length_normalization": True}, "wer": {"class": "copy", "from": "output", "loss": "edit_distance", "target": "classes"},
  "emb_out": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output"}, "pooled": {"class": "reduce", "mode": "mean", "axis": "T", "from": "emb_out"}, "lstm": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "emb_out"}, "best_lstm": {"class": "decide", "from": "lstm"}, "split": {"class": "split_batch_beam", "from": "pooled"}}
case = {"search": True, "seed": 4, "param_scale": 1.5}
