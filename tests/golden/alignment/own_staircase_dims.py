# staircase with Dim objects at behavior_version 21: the steps are those of a downsampled layer, the loss is taken in front of the softmax
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
behavior_version = 21
time, feat, states = SpatialDim("time"), FeatureDim("feat", 3), FeatureDim("states", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat], "dtype": "float32"}}
network = {
  "hidden": {"class": "linear", "from": "data", "out_dim": FeatureDim("hidden", 5), "activation": "relu"},
  "low": {"class": "pool", "from": "hidden", "mode": "avg", "pool_size": (2,), "padding": "same", "in_spatial_dims": [time]},
  "prob": {"class": "softmax", "from": "low", "out_dim": states},
  "bw": {"class": "fast_bw", "from": "prob", "input_type": "prob", "align_target": "staircase", "staircase_seq_len_source": "low", "am_scale": 0.6},
  "output": {"class": "copy", "from": "prob", "loss": "via_layer", "loss_opts": {"align_layer": "bw", "loss_wrt_to_act_in": "softmax"}}}
case = {"lens": {"data": [7, 1, 4]}, "train": True}
