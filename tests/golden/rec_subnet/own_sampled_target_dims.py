# scheduled sampling of the target alone, with Dim objects at behavior_version 30: the decoder that is trained is the one with the labels
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
behavior_version = 30
time, feat, hidden, emb, labels = SpatialDim("time"), FeatureDim("feat", 3), FeatureDim("hidden", 4), FeatureDim("emb", 2), FeatureDim("labels", 5)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat], "dtype": "float32"}, "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"}}
network = {
  "enc": {"class": "rec", "unit": "nativelstm2", "from": "data", "out_dim": hidden},
  "output": {"class": "rec", "from": "enc", "axis": time, "unit": {
    "emb": {"class": "linear", "from": "prev:output", "out_dim": emb, "activation": None},
    "s": {"class": "linear", "from": ["data:source", "emb", "prev:s"], "out_dim": hidden, "activation": "tanh"},
    "prob": {"class": "softmax", "from": "s", "out_dim": labels, "target": "classes", "loss": "ce", "loss_opts": {"label_smoothing": 0.1}},
    "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0, "scheduled_sampling": {"gold_mixin_prob": 1.0}}}}}
case = {"train": True, "lens": {"data": [6, 1, 3]}}
