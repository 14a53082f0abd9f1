# with Dim objects: strides and an axis of its own on the way down, a transposed convolution back, padding on both sides
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time, width = SpatialDim("time"), SpatialDim("width", 4)
chan, hidden, few, labels = FeatureDim("chan", 3), FeatureDim("hidden", 6), FeatureDim("few", 2), FeatureDim("labels", 5)
short, long = SpatialDim("short"), SpatialDim("long")
behavior_version = 21
extern_data = {
    "img": {"dim_tags": [batch_dim, time, width, chan]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "down": {"class": "conv", "from": "data:img", "in_dim": chan, "in_spatial_dims": [time], "out_spatial_dims": [short],
             "out_dim": hidden, "filter_size": [3], "strides": 2, "padding": (1,), "groups": 3, "activation": "relu"},
    "across": {"class": "conv", "from": "down", "in_dim": hidden, "in_spatial_dims": [width], "out_dim": few,
               "filter_size": [3], "padding": "same", "activation": None},
    "best": {"class": "reduce", "from": "across", "mode": "max", "axis": width},
    "up": {"class": "transposed_conv", "from": "best", "in_dim": few, "in_spatial_dims": [short], "out_spatial_dims": [long],
           "out_dim": hidden, "filter_size": [3], "strides": [2], "padding": "valid", "activation": "tanh"},
    "norm": {"class": "norm", "from": "up", "axis": [long, hidden], "param_shape": hidden},
    "output": {"class": "linear", "from": "norm", "activation": None, "out_dim": labels, "loss": "as_is"},
}
case = {"lens": {"img": [5, 1, 4], "classes": [5, 1, 4]}, "time": 5}
