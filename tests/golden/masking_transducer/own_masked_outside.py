# masked_computation and unmask outside of loops: time-major source, dims of the user, several kinds of unit
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim("time")
extern_data = {"data": {"dim": 4, "sparse": True, "same_dim_tags_as": {"T": time_dim}}, "feat": {"dim": 3, "same_dim_tags_as": {"T": time_dim}}}
network = {"mask": {"class": "compare", "kind": "not_equal", "value": 0, "from": "data"},
  "tm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data:feat"},
  "m1": {"class": "masked_computation", "mask": "mask", "from": "tm", "unit": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"}},
  "m2": {"class": "masked_computation", "mask": "mask", "from": "data:feat", "unit": {"class": "rec", "from": "data", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data:source", "prev:output"]}}}},
  "m3": {"class": "masked_computation", "mask": "mask", "from": "data", "unit": {"class": "copy", "from": "data"}},
  "m4": {"class": "masked_computation", "mask": "mask", "from": "data:feat", "unit": {"class": "combine", "kind": "add", "from": ["data", "tm"]}},
  "m5": {"class": "masked_computation", "mask": "mask", "from": "tm", "unit": {"class": "reduce", "mode": "mean", "axes": "T", "from": "data"}},
  "m6": {"class": "masked_computation", "mask": "mask", "from": "data:feat", "unit": {"class": "conv", "filter_size": (2,), "padding": "valid", "n_out": 2, "from": "data"}},
  "m7": {"class": "masked_computation", "mask": "mask", "from": "data:feat", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {"a": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data", "base:tm"], "is_output_layer": True}, "output": {"class": "linear", "activation": None, "n_out": 2, "from": "a"}}}},
  "m7a": {"class": "copy", "from": "m7/a"},
  "obj1": {"class": "eval", "from": "m1", "eval": "source(0) ** 2", "loss": "as_is"}, "obj2": {"class": "eval", "from": "m2", "eval": "source(0) ** 2", "loss": "as_is"}, "obj4": {"class": "eval", "from": "m4", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [7, 5, 1, 4], "feat": [7, 5, 1, 4]}, "batch": 4, "inputs": {"data": [[1, 0, 2, 3, 0, 0, 1], [0, 0, 1, 0, 2, 0, 0], [0, 0, 0, 0, 0, 0, 0], [3, 2, 1, 1, 0, 0, 0]]}}
