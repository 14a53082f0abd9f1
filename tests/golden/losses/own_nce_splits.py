# noise contrastive estimation with Dim objects at behavior_version 24: the output is time-major behind an LSTM, parts of the frames draw for themselves
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
behavior_version = 24
time, feat, hidden, labels = SpatialDim("time"), FeatureDim("feat", 3), FeatureDim("hidden", 4), FeatureDim("labels", 7)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat], "dtype": "float32"}, "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"}}
weights = [1e-9] * 7
weights[3] = 1.0
network = {
  "lstm": {"class": "rec", "unit": "nativelstm2", "from": "data", "out_dim": hidden},
  "back": {"class": "rec", "unit": "nativelstm2", "from": "data", "out_dim": FeatureDim("back", 2), "direction": -1},
  "output": {"class": "softmax", "from": ["lstm", "back"], "out_dim": labels, "use_transposed_weights": True, "target": "classes", "loss": "sampling_loss",
    "loss_opts": {"num_sampled": 1, "num_splits": 3, "nce_loss": True, "sampler": "fixed_unigram", "sampler_args": {"unigrams": weights}, "remove_accidental_hits": True, "scale": 0.5}}}
case = {"train": True, "lens": {"data": [6, 1, 3]}}
