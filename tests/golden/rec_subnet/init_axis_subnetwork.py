# a subnetwork with parameters of its own is the state of a loop
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "zeros": {"class": "constant", "value": 0.0, "shape": [batch_dim, hidden]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "out_shape": {batch_dim, time, hidden},
        "unit": {
            "state.h": {
                "class": "subnetwork",
                "from": [],
                "initial_output": "base:zeros",
                "out_shape": {batch_dim, hidden},
                "subnetwork": {
                    "dot": {
                        "class": "dot",
                        "from": ["base:concat", "weight"],
                        "reduce": feat + hidden,
                        "out_shape": {batch_dim, hidden},
                    },
                    "add": {
                        "class": "combine",
                        "from": ["dot", "bias"],
                        "kind": "add",
                        "out_shape": {batch_dim, hidden},
                    },
                    "act": {"class": "activation", "activation": "tanh", "from": "add"},
                    "output": {"class": "copy", "from": "act", "out_shape": {batch_dim, hidden}},
                    "weight": {"class": "variable", "shape": [feat + hidden, hidden], "dtype": "float32"},
                    "bias": {"class": "variable", "shape": [hidden], "dtype": "float32"},
                },
            },
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time, "out_shape": {batch_dim, feat}},
            "concat": {
                "class": "concat",
                "from": (("x", feat), ("prev:state.h", hidden)),
                "out_shape": {batch_dim, feat + hidden},
            },
            "output": {"class": "copy", "from": "state.h", "out_shape": {batch_dim, hidden}},
        },
    },
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
