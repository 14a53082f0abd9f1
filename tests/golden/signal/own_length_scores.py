# scores by the number of their frame, of a source with time in front and of one with the batch in front, masked by one number
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time, feat, labels, hidden = SpatialDim("time"), FeatureDim("feat", 4), FeatureDim("labels", 5), FeatureDim("hidden", 3)
behavior_version = 21
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "from": "data", "out_dim": hidden},
    "p": {"class": "softmax", "from": "lstm", "out_dim": labels},
    "by_length": {"class": "normalize_length_scores", "from": "p"},
    "gate": {"class": "linear", "from": "data", "n_out": 5, "activation": "sigmoid"},
    "gated": {"class": "normalize_length_scores", "from": "gate"},
    "one": {"class": "linear", "from": "data", "n_out": 1, "activation": "sigmoid"},
    "masked": {"class": "signal_masking", "signal": "gated", "mask": "one", "n_out": 5},
    "both": {"class": "linear", "from": "masked", "n_out": 5, "activation": "softmax", "loss": "ce", "target": "classes"},
    "output": {"class": "linear", "from": "by_length", "n_out": 2, "activation": None, "loss": "as_is"},
}
case = {"lens": {"data": [4, 1, 3], "classes": [4, 1, 3]}, "time": 4}
