# top_k over a ragged time axis, over several axes, with a k from a layer, of labels
from returnn.tf.util.data import SpatialDim
k_dim = SpatialDim("k")
extern_data = {"data": {"dim": 3}, "classes": {"dim": 6, "sparse": True}, "image": {"shape": (None, 4, 3), "dim": 3}}
network = {
  "flat": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data"},
  "time": {"class": "top_k", "axis": "T", "k": 2, "from": "flat"}, "time_at": {"class": "copy", "from": "time/indices"},
  "both": {"class": "top_k", "axis": ["static:0", "F"], "k": 3, "k_dim": k_dim, "from": "data:image"},
  "both_t": {"class": "copy", "from": "both/indices0"}, "both_f": {"class": "copy", "from": "both/indices1"},
  "swapped": {"class": "top_k", "axis": ["F", "static:0"], "k": 1, "from": "data:image"}, "swapped_at": {"class": "copy", "from": "swapped/indices1"},
  "middle": {"class": "top_k", "axis": "static:0", "k": 2, "from": "data:image"},
  "rounded": {"class": "eval", "from": "data", "eval": "tf.round(source(0) * 0.7)"},
  "ties": {"class": "top_k", "axis": "F", "k": 3, "from": "rounded"}, "ties_at": {"class": "copy", "from": "ties/indices"},
  "labels": {"class": "top_k", "axis": "T", "k": 1, "from": "data:classes"},
  "used": {"class": "gather", "from": "data", "position": "time/indices", "axis": "T"},
  "obj": {"class": "eval", "from": "both", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 2, 4], "classes": [4, 3, 6]}}
