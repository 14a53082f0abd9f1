# embeddings, positions and logits as variables over Dims, looked up by gather; the loss is a layer
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 30
t = SpatialDim("time")
f = FeatureDim("model", 4)
labels = FeatureDim("labels", 7)
positions = SpatialDim("positions", 9)
extern_data = {
    "data": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
    "classes": {"dim_tags": [batch_dim, t], "sparse_dim": labels},
}
network = {
    "w": {"class": "variable", "shape": [labels, f], "init": "glorot_uniform"},
    "e": {"class": "gather", "from": "w", "axis": labels, "position": "data"},
    "number": {"class": "range_in_axis", "from": "data", "axis": t},
    "pw": {"class": "variable", "shape": [positions, f]},
    "p": {"class": "gather", "from": "pw", "axis": positions, "position": "number"},
    "x": {"class": "combine", "kind": "add", "from": ["e", "p"], "out_shape": {batch_dim, t, f}},
    "h": {"class": "linear", "from": "x", "out_dim": f, "activation": "tanh"},
    "logits": {"class": "dot", "from": ["h", "w"], "reduce": f},
    "output": {"class": "activation", "activation": "log_softmax", "from": "logits"},
    "scores": {"class": "gather", "from": "output", "axis": labels, "position": "data:classes"},
    "nll": {"class": "eval", "eval": "-source(0)", "from": "scores", "out_shape": {batch_dim, t}, "loss": "as_is"},
    "range": {"class": "range_in_axis", "from": "w", "axis": labels},
    "hot": {
        "class": "compare", "kind": "equal", "from": ["data", "range"], "out_shape": {batch_dim, t, labels},
    },
}
case = {"train": True, "lens": {"data": [4, 6, 1], "classes": [4, 6, 1]}}
