# square matrices by match_priority: products from both sides, tied and transposed, biases and norms on their axes
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 30
t = SpatialDim("time")
f = FeatureDim("f", 4)
f_in = f.copy(match_priority=1)
labels = FeatureDim("labels", 4)
extern_data = {
    "data": {"dim_tags": [batch_dim, t, f]},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "w": {"class": "variable", "shape": [f_in, f]},
    "b": {"class": "variable", "shape": [f]},
    "rows": {"class": "reduce", "mode": "max", "from": "w", "axis": f},
    "rest": {"class": "combine", "kind": "mul", "from": ["w", "b"], "out_shape": {f}},
    "one": {"class": "dot", "from": ["data", "w"], "reduce": f},
    "two": {"class": "dot", "from": ["one", "rest"], "reduce": f},
    "left": {"class": "dot", "from": ["w", "two"], "reduce": f},
    "gram": {"class": "dot", "from": ["w", "w"], "red1": f, "red2": f},
    "sum": {"class": "combine", "kind": "add", "from": ["left", "rows", "b", "data"], "out_shape": {batch_dim, t, f}},
    "norm": {"class": "layer_norm", "from": "sum", "in_dim": f},
    "output": {"class": "softmax", "from": "norm", "out_dim": labels, "loss": "ce", "target": "classes"},
    "penalty": {"class": "reduce", "mode": "sum", "from": "gram", "axis": "static", "loss": "as_is", "loss_scale": 0.1},
}
case = {"train": True, "lens": {"data": [4, 6, 1], "classes": [4, 6, 1]}}
