# a convolution with a given square filter: in_dim is the input's dim with another match_priority, and says which axis it is
from returnn.tensor import Dim, batch_dim
behavior_version = 21
time_dim, feat_dim, width = Dim(None, name="time"), Dim(3, name="feat"), Dim(2, name="width")
twin = feat_dim.copy(match_priority=1)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat_dim]}}
def conv(name):
    return {"class": "conv", "from": "data", "in_dim": twin, "out_dim": feat_dim, "in_spatial_dims": [time_dim], "out_spatial_dims": [time_dim],
      "filter_size": [width], "padding": "same", "filter": name, "with_bias": False}
network = {
  "w": {"class": "variable", "shape": (feat_dim, twin, width)}, "v": {"class": "variable", "shape": (width, twin, feat_dim)},
  "a": conv("w"), "b": conv("v"),
  "output": {"class": "combine", "kind": "mul", "from": ["a", "b"], "loss": "as_is"}}
