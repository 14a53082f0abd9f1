# ctc_loss of sequences that are too short for their labels, from behavior version 30 on: no loss and no gradient
from returnn.tensor import Dim, batch_dim
time_dim, label_time, feat, labels = Dim(None, name="time"), Dim(None, name="labels"), Dim(3, name="feat", kind=Dim.Types.Feature), Dim(3, name="label", kind=Dim.Types.Feature)
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat], "dtype": "float32"}, "labels": {"dim_tags": [batch_dim, label_time], "sparse_dim": labels, "dtype": "int32"}}
network = {"lin": {"class": "linear", "from": "data", "activation": None, "n_out": 4},
 "a": {"class": "ctc_loss", "logits": "lin", "targets": "data:labels", "loss": "as_is"}, "b": {"class": "ctc_loss", "logits": "lin", "targets": "data:labels", "label_loop": False},
 "log": {"class": "activation", "activation": "log_softmax", "from": "lin"}, "n": {"class": "ctc_loss", "logits": "log", "targets": "data:labels", "logits_normalized": True, "loss": "as_is"},
 "v": {"class": "ctc_loss", "logits": "lin", "targets": "data:labels", "max_approx": True, "loss": "as_is"}}
case = {"batch": 4, "lens": {"data": [1, 2, 5, 3], "labels": [2, 2, 2, 2]}, "inputs": {"labels": [[0, 1], [1, 1], [0, 2], [1, 1]]}}
