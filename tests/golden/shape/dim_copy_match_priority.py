# a copy of a Dim with a higher priority is the axis that 'reduce' means
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t = SpatialDim("t")
f = FeatureDim("f", 3)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
network = {
    "w": {"class": "variable", "shape": [f.copy(match_priority=1), f]},
    "output": {"class": "dot", "from": ["data", "w"], "reduce": f},
}
case = {"train": False, "search": False}
