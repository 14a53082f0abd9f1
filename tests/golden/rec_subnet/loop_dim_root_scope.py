# a loop with an empty name scope: its limit a layer, its end and what it multiplies from invariant layers
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "limit": {"class": "constant", "value": 10},
    "w": {"class": "variable", "shape": [feat]},
    "zeros": {"class": "constant", "value": 0, "shape": [batch_dim], "dtype": "float32"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len_via": "limit",
        "include_eos": True,
        "name_scope": "",
        "out_shape": {batch_dim, feat, steps},
        "unit": {
            "add": {
                "class": "eval",
                "from": "prev:add",
                "eval": "source(0) + 1.0",
                "initial_output": "base:zeros",
                "out_shape": {batch_dim},
            },
            "mean": {
                "class": "reduce",
                "from": "base:data:data",
                "mode": "mean",
                "axis": time,
                "out_shape": {batch_dim, feat},
            },
            "m": {"class": "reduce", "from": "mean", "mode": "max", "axis": feat, "out_shape": {batch_dim}},
            "bound": {"class": "eval", "from": "m", "eval": "source(0) * 2 + 3", "out_shape": {batch_dim}},
            "ge": {"class": "compare", "from": ["add", "bound"], "kind": "greater_equal", "out_shape": {batch_dim}},
            "end": {"class": "copy", "from": "ge", "out_shape": {batch_dim}},
            "lin": {"class": "combine", "kind": "mul", "from": ["mean", "base:w"]},
            "mul": {"class": "combine", "from": ["add", "lin"], "kind": "mul", "out_shape": {batch_dim, feat}},
            "output": {"class": "copy", "from": "mul", "out_shape": {batch_dim, feat}},
        },
    },
    "output": {"class": "copy", "from": "loop/output", "out_shape": {batch_dim, feat, steps}},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "output", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
