# the number of labels is the vocabulary's: output sizes, label smoothing, and the same of a registered key
extern_data = {
    "data": {"dim": 5},
    "classes": {"sparse": True, "vocab": {"class": "Vocabulary", "vocab_file": None, "labels": ["a", "b", "</s>", "d"], "unknown_label": None}},
}
network = {
    "ended": {"class": "postfix_in_time", "from": "data:classes", "postfix": 2, "register_as_extern_data": "targets"},
    "begun": {"class": "prefix_in_time", "from": "data:classes", "prefix": 0},
    "emb": {"class": "linear", "from": "begun", "n_out": 6, "activation": "tanh"},
    "x": {"class": "postfix_in_time", "from": "data", "postfix": 0.5},
    "h": {"class": "linear", "from": "x", "n_out": 6, "activation": "tanh"},
    "output": {"class": "softmax", "from": "h", "loss": "ce", "target": "targets", "loss_opts": {"label_smoothing": 0.1}},
    "aux": {"class": "softmax", "from": "emb", "loss": "ce", "target": "targets", "loss_opts": {"label_smoothing": 0.2, "label_smoothing_gaussian": True}},
}
