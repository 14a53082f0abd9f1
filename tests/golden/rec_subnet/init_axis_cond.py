# a state that only some steps change: a cond in the loop, its condition without a batch
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
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "n": {
                "class": "eval",
                "eval": "source(0) + 1",
                "from": "prev:n",
                "initial_output": 0,
                "out_type": {"dtype": "int32"},
            },
            "even": {
                "class": "eval",
                "eval": "tf.equal(tf.math.floormod(source(0), 2), 0)",
                "from": "n",
                "out_type": {"dtype": "bool"},
            },
            "xx": {"class": "linear", "from": "x", "out_dim": hidden, "activation": None},
            "upd": {
                "class": "cond",
                "from": [],
                "condition": "even",
                "true_layer": {"class": "combine", "kind": "add", "from": ["prev:state", "xx"]},
                "false_layer": {"class": "copy", "from": "prev:state"},
            },
            "state": {"class": "activation", "activation": "tanh", "from": "upd", "initial_output": "base:zeros"},
            "output": {"class": "copy", "from": "state"},
        },
    },
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [5, 1, 3]}}
