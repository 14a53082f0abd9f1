# time-synchronous search that attends to the current segment: axes of layers in a loop go by the layer's own name
from returnn.tf.util.data import SpatialDim
td = SpatialDim("time")
extern_data = {"data": {"dim": 3, "same_dim_tags_as": {"T": td}}, "align": {"dim": 5, "sparse": True, "same_dim_tags_as": {"T": td}}}
case = {"search": True, "time": 5}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}, "output": {"class": "rec", "from": "enc", "target": "align", "unit": {
  "nb": {"class": "compare", "kind": "not_equal", "value": 4, "from": "output", "initial_output": True},
  "emb": {"class": "linear", "activation": None, "n_out": 4, "from": "prev:output"},
  "seg": {"class": "switch", "condition": "prev:nb", "true_from": ":i", "false_from": "prev:seg", "initial_output": 0},
  "size": {"class": "eval", "from": [":i", "seg"], "eval": "source(0) - source(1) + 1"},
  "sl": {"class": "slice_nd", "from": "base:enc", "start": "seg", "size": "size"},
  "en": {"class": "dot", "from": ["sl", "emb"], "red1": "F", "red2": "F", "var1": "stag:sliced-time:sl", "var2": None, "add_var2_if_empty": False}, "w": {"class": "softmax_over_spatial", "axis": "stag:sliced-time:sl", "from": "en"},
  "att": {"class": "generic_attention", "weights": "w", "base": "sl"},
  "prob": {"class": "softmax", "from": ["att", "emb", "data:source"], "target": "align", "loss": "ce"},
  "output": {"class": "choice", "target": "align", "beam_size": 3, "from": "prob", "initial_output": 4, "length_normalization": False}}}}
