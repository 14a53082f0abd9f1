# the length of a dim of the data, without a source
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 21
t, f = SpatialDim("time"), FeatureDim("in", 3)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
network = {
    "n": {"class": "length", "axis": t, "from": ()},
    "output": {"class": "copy", "from": "data"},
}
