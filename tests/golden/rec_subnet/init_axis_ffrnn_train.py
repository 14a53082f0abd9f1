# a feed-forward RNN as returnn_common writes it, out_shape at every layer, its state's axes known from the initial value only
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
vocab = FeatureDim("vocab", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": vocab},
}
network = {
    "zeros": {"class": "constant", "value": 0.0, "shape": [batch_dim, hidden], "dtype": "float32"},
    "ff": {"class": "variable", "shape": [feat + hidden, hidden], "param_name": "param"},
    "bias": {"class": "variable", "shape": [hidden], "param_name": "param"},
    "out_w": {"class": "variable", "shape": [hidden, vocab], "param_name": "param"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "out_shape": {batch_dim, time, vocab},
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time, "out_shape": {batch_dim, feat}},
            "cat": {
                "class": "concat",
                "from": (("x", feat), ("prev:state", hidden)),
                "out_shape": {batch_dim, feat + hidden},
            },
            "dot": {
                "class": "dot",
                "from": ["cat", "base:ff"],
                "reduce": feat + hidden,
                "out_shape": {batch_dim, hidden},
            },
            "add": {"class": "combine", "kind": "add", "from": ["dot", "base:bias"], "out_shape": {batch_dim, hidden}},
            "state": {
                "class": "activation",
                "activation": "tanh",
                "from": "add",
                "initial_output": "base:zeros",
                "out_shape": {batch_dim, hidden},
            },
            "output": {
                "class": "dot",
                "from": ["state", "base:out_w"],
                "reduce": hidden,
                "out_shape": {batch_dim, vocab},
            },
        },
    },
    "loss": {
        "class": "sparse_softmax_cross_entropy_with_logits",
        "logits": "loop",
        "targets": "data:classes",
        "axis": vocab,
        "loss": "as_is",
    },
    "output": {"class": "softmax_over_spatial", "axis": vocab, "from": "loop"},
}
case = {"train": True, "search": False}
