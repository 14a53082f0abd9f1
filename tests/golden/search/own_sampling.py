# scheduled sampling: from a distribution without doubt, and the target with probability one
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"sampled": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "sharp", "input_type": "log_prob", "target": "classes", "initial_output": 0, "scheduled_sampling": True},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "prob": {"class": "linear", "activation": None, "n_out": 4, "from": ["data:source", "emb"]}, "sharp": {"class": "eval", "eval": "source(0) * 1e5", "from": "prob"}}},
  "gold": {"class": "rec", "from": [], "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "scheduled_sampling": {"gold_mixin_prob": 1.0}},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "prob": {"class": "softmax", "target": "classes", "from": ["emb"], "loss": "ce"}}},
  "output": {"class": "copy", "from": "sampled"}}
case = {"seed": 2, "param_scale": 1.0}
