# search until the last frame was consumed: the step of the position is a switch between numbers, its condition the label
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
case = {"search": True, "time": {"data": 5, "classes": 4}}
network = {"enc": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"}, "len0": {"class": "length", "from": "enc"},
 "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc') * 2", "unit": {
  "am": {"class": "gather_nd", "from": "base:enc", "position": "tc"}, "tc": {"class": "eval", "from": ["prev:t", "base:len0"], "eval": "tf.minimum(source(0), source(1) - 1)"},
  "isb": {"class": "compare", "kind": "equal", "value": 0, "from": "output", "initial_output": False},
  "nb": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
  "dt": {"class": "switch", "condition": "isb", "true_from": 1, "false_from": 0},
  "t": {"class": "combine", "kind": "add", "from": ["prev:t", "dt"], "initial_output": 0},
  "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
  "lm": {"class": "masked_computation", "mask": "prev:nb", "from": "emb", "unit": {"class": "rec", "unit": "nativelstm2", "n_out": 4}},
  "lmu": {"class": "unmask", "mask": "prev:nb", "from": "lm"},
  "joint": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["am", "lmu"]},
  "prob": {"class": "softmax", "from": "joint", "target": "classes", "loss": "ce"},
  "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
  "end": {"class": "compare", "kind": "greater_equal", "from": ["t", "base:len0"]}}}}
