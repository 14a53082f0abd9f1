# Dims made of Tensors: one length for all, lengths per sequence; a mean over each, masked attention between them
from returnn.tensor import Dim, Tensor, batch_dim
from returnn.tensor.marked_dim import ImplicitDynSizeDim
behavior_version = 21
few = Dim(Tensor("few", dims=[], dtype="int32"), name="few")
many = Dim(Tensor("many", dims=[batch_dim], dtype="int32"))
f = Dim(4, name="f", kind=Dim.Types.Feature)
extern_data = {
    "data": {"dims": [batch_dim, many, f], "dtype": "float32", "feature_dim": f},
    "memory": {"dims": [batch_dim, few, f], "dtype": "float32", "feature_dim": f, "available_for_inference": True},
}
network = {
    "k": {"class": "linear", "from": "data:memory", "in_dim": f, "out_dim": f, "activation": "tanh"},
    "e": {"class": "dot", "from": ["data", "k"], "reduce": f},
    "w": {"class": "softmax_over_spatial", "from": "e", "axis": few},
    "c": {"class": "dot", "from": ["w", "k"], "reduce": few},
    "m": {"class": "reduce", "mode": "mean", "from": "k", "axis": few},
    "n": {"class": "length", "from": "data:memory", "axis": few},
    "l": {"class": "length", "from": "data", "axis": many, "out_shape": {batch_dim}},
    "i": {"class": "range_in_axis", "from": "data", "axis": many, "out_shape": {many, ImplicitDynSizeDim(batch_dim)}},
    "s": {"class": "combine", "kind": "add", "from": ["c", "m", "data"], "out_shape": {batch_dim, many, f}},
    "output": {"class": "reduce", "mode": "mean", "from": "s", "axis": many, "loss": "as_is"},
}
case = {"lens": {"data": [3, 5, 1]}}
