# compare with logical_and and logical_or: of two sources, of three, with a value, with broadcasting
from returnn.tensor import Dim, batch_dim
time_dim, feat = Dim(None, name="time"), Dim(3, name="feat", kind=Dim.Types.Feature)
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat], "dtype": "float32"}, "vec": {"dim_tags": [batch_dim, feat], "dtype": "float32"}, "given": {"dim_tags": [batch_dim, time_dim], "dtype": "bool", "feature_dim_axis": None}}
network = {"a": {"class": "compare", "from": "data", "kind": "greater", "value": 0.3}, "b": {"class": "compare", "from": "data", "kind": "less", "value": 0.9}, "v": {"class": "compare", "from": "data:vec", "kind": "<", "value": 0},
  "and": {"class": "compare", "from": ["a", "b"], "kind": "logical_and"}, "or": {"class": "compare", "from": ["a", "v"], "kind": "logical_or", "allow_broadcast_all_sources": True}, "three": {"class": "compare", "from": ["a", "b", "data:given"], "kind": "logical_or"}, "value": {"class": "compare", "from": "b", "kind": "logical_and", "value": True},
  "sel": {"class": "switch", "condition": "three", "true_from": "data", "false_from": "data:vec"}, "out": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "sel"}, "obj": {"class": "eval", "from": "out", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [4, 7, 1], "given": [4, 7, 1]}}
