# bool data with two labels as a mask; labels behind it are fewer than before: what the mask keeps out is no label of the rest
from returnn.tensor import Dim, batch_dim
behavior_version = 21
time_dim, in_dim = Dim(None, name="time"), Dim(3, name="in")
all_dim, label_dim = Dim(5, name="all"), Dim(4, name="labels")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}, "voiced": {"dim_tags": [batch_dim, time_dim], "dtype": "bool", "sparse_dim": Dim(2, name="yes or no")},
  "alignment": {"dim_tags": [batch_dim, time_dim], "sparse_dim": all_dim, "dtype": "int32"}}
network = {
  "some": {"class": "masked_computation", "from": "data", "mask": "data:voiced", "unit": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "data"}},
  "is_label": {"class": "compare", "from": "data:alignment", "kind": "not_equal", "value": 4},
  "emitted": {"class": "masked_computation", "from": "data:alignment", "mask": "is_label", "unit": {"class": "copy", "from": "data"}},
  "labels": {"class": "reinterpret_data", "from": "emitted", "set_sparse_dim": label_dim},
  "embed": {"class": "linear", "from": "labels", "activation": None, "with_bias": False, "n_out": 3},
  "obj": {"class": "eval", "from": "embed", "eval": "source(0) ** 2", "loss": "as_is"},
  "output": {"class": "copy", "from": "some", "loss": "as_is"}}
case = {"lens": {"data": [7, 1, 4], "voiced": [7, 1, 4], "alignment": [7, 1, 4]}, "inputs": {
  "voiced": [[False, True, True, False, True, True, False], [True] + [False] * 6, [True, False, False, True] + [False] * 3],
  "alignment": [[4, 2, 0, 4, 4, 3, 1], [2, 0, 0, 0, 0, 0, 0], [4, 4, 1, 4, 0, 0, 0]]}}
