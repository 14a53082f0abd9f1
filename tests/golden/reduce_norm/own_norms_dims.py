# norms over one, two and all axes with Dim objects: parameters of a shape of their own, frames of ragged sequences, p-norms
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time, width, chan, labels = SpatialDim("time"), SpatialDim("width", 4), FeatureDim("chan", 3), FeatureDim("labels", 5)
behavior_version = 22
extern_data = {
    "img": {"dim_tags": [batch_dim, time, width, chan]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32"},
}
network = {
    "both": {"class": "norm", "from": "data:img", "axis": [width, chan], "param_shape": [width, chan], "epsilon": 1e-3},
    "frames": {"class": "norm", "from": "both", "axis": [time, chan], "param_shape": chan, "bias": False},
    "bn": {"class": "batch_norm", "from": "frames", "in_dim": chan, "masked_time": True, "use_shift": False, "param_version": 2},
    "ln": {"class": "layer_norm", "from": "bn", "in_dim": chan},
    "strength": {"class": "math_norm", "from": "ln", "p": 3, "axis": [width, chan]},
    "long": {"class": "math_norm", "from": "ln", "p": 2, "axis": time},
    "flat": {"class": "merge_dims", "from": "ln", "axes": [width, chan], "keep_order": True},
    "size": {"class": "linear", "from": "long", "activation": "tanh", "n_out": 2, "loss": "as_is"},
    "ampl": {"class": "copy", "from": "strength", "loss": "as_is"},
    "output": {"class": "softmax", "from": "flat", "out_dim": labels, "loss": "ce", "target": "classes"},
}
case = {"lens": {"img": [5, 1, 3], "classes": [5, 1, 3]}, "time": 5, "train": True}
