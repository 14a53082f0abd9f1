# a memory over another time axis and heads, which its initial value brings: what is written in each step has neither
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 25
time = SpatialDim("time")
slots = SpatialDim("slots")
feat = FeatureDim("feat", 3)
heads = SpatialDim("heads", 2)
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "memory": {"dim_tags": [batch_dim, slots, feat]},
}
network = {
    "scale": {"class": "variable", "shape": [heads, feat]},
    "start": {"class": "combine", "kind": "mul", "from": ["data:memory", "scale"], "allow_broadcast_all_sources": True},
    "decay": {"class": "variable", "shape": [heads]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "kept": {"class": "combine", "kind": "mul", "from": ["prev:memory", "base:decay"]},
            "memory": {"class": "combine", "kind": "add", "from": ["kept", "x"], "initial_output": "base:start"},
            "energy": {"class": "dot", "from": ["memory", "x"], "reduce": feat},
            "weights": {"class": "softmax_over_spatial", "from": "energy", "axis": slots},
            "read": {"class": "dot", "from": ["weights", "memory"], "reduce": slots},
            "output": {"class": "reduce", "mode": "sum", "axis": heads, "from": "read"},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False, "lens": {"data": [4, 1, 3], "memory": [2, 5, 1]}}
