# generic_attention: time-major weights, several query axes, two head axes, weights of size one, base with a renamed time axis
behavior_version = 12
from returnn.tf.util.data import SpatialDim
kt = SpatialDim("kv-time")
extern_data = {"data": {"dim": 6}, "q": {"dim": 4}}
case = {"time": {"data": 7, "q": 4}}
network = {"k": {"class": "linear", "activation": None, "n_out": 4, "from": "data"}, "kk": {"class": "reinterpret_data", "set_dim_tags": {"T": kt}, "from": "k"}, "v": {"class": "reinterpret_data", "set_dim_tags": {"T": kt}, "from": "data"},
  "e": {"class": "dot", "from": ["data:q", "kk"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"},
  "w": {"class": "softmax_over_spatial", "axis": kt, "from": "e"}, "att": {"class": "generic_attention", "weights": "w", "base": "v"},
  "r": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"}, "wr": {"class": "softmax_over_spatial", "from": "r"}, "att_r": {"class": "generic_attention", "weights": "wr", "base": "data"},
  "h": {"class": "split_dims", "axis": "F", "dims": (2, 2), "from": "k"}, "wh": {"class": "softmax_over_spatial", "from": "h"},
  "b2": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "data"}, "att_h": {"class": "generic_attention", "weights": "wh", "base": "b2"},
  "w1": {"class": "split_dims", "axis": "F", "dims": (1, 1), "from": "en1"}, "en1": {"class": "linear", "n_out": 1, "activation": None, "from": "data"},
  "sw1": {"class": "softmax_over_spatial", "from": "w1"}, "att1": {"class": "generic_attention", "weights": "sw1", "base": "data"}, "att1n": {"class": "generic_attention", "weights": "sw1", "base": "data", "auto_squeeze": False},
  "b1": {"class": "split_dims", "axis": "F", "dims": (1, 6), "from": "data"}, "att1b": {"class": "generic_attention", "weights": "sw1", "base": "b1"},
  "att1c": {"class": "generic_attention", "weights": "sw1", "base": "b1", "auto_squeeze": False},
  "obj": {"class": "reduce", "mode": "sum", "axis": "F", "from": "att", "loss": "as_is"}, "obj2": {"class": "reduce", "mode": "mean", "axis": ["F"], "from": "att_h", "loss": "as_is"}}
