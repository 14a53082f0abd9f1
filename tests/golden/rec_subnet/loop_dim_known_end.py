# the axis has lengths already: 'end' has no effect in training; a unit's state is given in each step
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
vocab = FeatureDim("vocab", 5)
slots = SpatialDim("slots")
behavior_version = 21
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, slots], "sparse_dim": vocab},
}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "h0": {"class": "linear", "from": "mean", "out_dim": hidden, "activation": "tanh"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": slots,
        "max_seq_len": 6,
        "include_eos": True,
        "unit": {
            "embed": {
                "class": "linear",
                "from": "prev:output",
                "out_dim": hidden,
                "activation": None,
                "with_bias": False,
            },
            "s": {
                "class": "rec",
                "unit": "gru",
                "from": "embed",
                "axis": single_step_dim,
                "out_dim": hidden,
                "state": "prev:t",
            },
            "t": {"class": "linear", "from": "s", "out_dim": hidden, "activation": "tanh", "initial_output": "base:h0"},
            "prob": {"class": "softmax", "from": "s", "out_dim": vocab, "loss": "ce", "target": "classes"},
            "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 1},
            "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0},
        },
    },
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False, "lens": {"data": [4, 1, 3], "classes": [1, 5, 2]}}
