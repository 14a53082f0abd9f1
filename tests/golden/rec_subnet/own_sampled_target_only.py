# scheduled sampling of probability one of the target: gold_mixin_prob 1, gradients through the rest
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "e": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
 "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 9, "unit": {
  "emb": {"class": "linear", "n_out": 2, "activation": None, "from": "prev:output"},
  "s": {"class": "rnn_cell", "unit": "lstmblock", "n_out": 3, "from": ["emb", "base:e"]},
  "prob": {"class": "softmax", "from": ["s"], "target": "classes", "loss": "ce"},
  "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 2, "scheduled_sampling": {"gold_mixin_prob": 1.0}, "initial_output": 0}}}}
case = {"train": True}
