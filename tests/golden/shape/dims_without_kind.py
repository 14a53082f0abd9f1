# dims of every kind and of none meet in combine and eval: where each of them goes, which of them is the feature
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
behavior_version = 18
t = SpatialDim("time")
f = FeatureDim("in", 4)
plain, space, feature = Dim(3, name="plain"), SpatialDim("space", 5), FeatureDim("feature", 2)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}, "scale": {"dim_tags": (), "dtype": "float32", "available_for_inference": True}}
network = {
    "a": {"class": "variable", "shape": [plain]},
    "b": {"class": "variable", "shape": [space]},
    "c": {"class": "variable", "shape": [feature]},
    "da": {"class": "combine", "kind": "add", "from": ["data", "a"], "out_shape": {batch_dim, t, f, plain}},
    "db": {"class": "combine", "kind": "mul", "from": ["data", "b"], "out_shape": {batch_dim, t, f, space}},
    "dc": {"class": "combine", "kind": "add", "from": ["data", "c"], "out_shape": {batch_dim, t, f, feature}},
    "ab": {"class": "combine", "kind": "mul", "from": ["a", "b"], "out_shape": {plain, space}},
    "ca": {"class": "combine", "kind": "mul", "from": ["c", "a"], "out_shape": {plain, feature}},
    "abc": {
        "class": "eval", "eval": "source(0) + source(1) * source(2)", "from": ["a", "b", "c"],
        "out_shape": {plain, space, feature},
    },
    "scaled": {"class": "combine", "kind": "mul", "from": ["da", "data:scale"]},
    "x": {"class": "reduce", "mode": "sum", "from": "scaled", "axis": [plain, f]},
    "y": {"class": "reduce", "mode": "sum", "from": "db", "axis": "F"},
    "z": {"class": "reduce", "mode": "sum", "from": "dc", "axis": "F"},
    "u": {"class": "reduce", "mode": "sum", "from": "abc", "axis": "F"},
    "output": {"class": "combine", "kind": "add", "from": ["x", "y"], "out_shape": {batch_dim, t, space}},
    "loss": {"class": "reduce", "mode": "mean", "from": "output", "axis": [t, space], "loss": "as_is"},
    "loss2": {"class": "reduce", "mode": "sum", "from": "u", "axis": "static", "loss": "as_is"},
}
case = {"lens": {"data": [3, 5, 1]}}
