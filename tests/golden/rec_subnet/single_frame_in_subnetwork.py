# units on a single frame in a subnetwork of the loop
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "loop": {
        "class": "rec",
        "from": "data",
        "axis": time,
        "unit": {
            "block": {
                "class": "subnetwork",
                "from": "data:source",
                "subnetwork": {
                    "l": {
                        "class": "rec",
                        "unit": "lstm",
                        "from": ["data", "base:prev:output"],
                        "axis": single_step_dim,
                        "out_dim": hidden,
                    },
                    "g": {"class": "rnn_cell", "unit": "gru", "from": "l", "n_out": 4},
                    "output": {"class": "copy", "from": "g"},
                },
            },
            "output": {"class": "linear", "from": "block", "out_dim": hidden, "activation": "tanh"},
        },
    },
    "st": {"class": "reduce", "mode": "mean", "axis": time, "from": "loop"},
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [5, 1, 3]}}
