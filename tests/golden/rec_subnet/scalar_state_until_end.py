# a number without a batch is the state; what it is compared with has a batch, so each sequence ends for itself
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "loop": {
        "class": "rec",
        "from": [],
        "max_seq_len": 10,
        "unit": {
            "one": {"class": "constant", "value": 1.0},
            "state.i": {"class": "combine", "from": ["prev:state.i", "one"], "kind": "add", "out_shape": {}},
            "five": {"class": "constant", "value": 5.0, "shape": [batch_dim]},
            "ge": {"class": "compare", "from": ["state.i", "five"], "kind": "greater_equal", "out_shape": {batch_dim}},
            "end": {"class": "copy", "from": "ge", "out_shape": {batch_dim}},
            "mul": {
                "class": "combine",
                "from": ["state.i", "base:mean"],
                "kind": "mul",
                "out_shape": {batch_dim, feat},
            },
            "output": {"class": "linear", "from": "mul", "out_dim": hidden, "activation": "tanh"},
        },
    },
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
