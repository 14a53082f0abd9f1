# extra.search with a loop that ends by itself; score loss, decision and expected loss in a training graph
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
  "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "length_normalization": False},
    "end": {"class": "compare", "from": "output", "value": 0},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "output", "initial_output": 0}, "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["prev:emb", "base:mean"]}, "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"}}},
  "extra.search:best": {"class": "decide", "from": "extra.search:output", "is_output_layer": True},
  "mwer": {"class": "copy", "from": "extra.search:output", "loss": "expected_loss", "target": "classes", "loss_opts": {"loss": {"class": "edit_distance"}, "loss_kind": "error", "loss_correction_grad_only": True}}}
case = {"train": True, "seed": 2, "param_scale": 1.0}
