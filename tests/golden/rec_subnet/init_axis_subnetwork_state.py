# the state stands in a subnetwork of the loop; its initial value comes from outside and alone has a batch
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "first": {"class": "gather", "from": "data", "axis": time, "position": 0},
    "w": {"class": "variable", "shape": [feat]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "mean": {"class": "reduce", "mode": "mean", "axis": batch_dim, "from": "x"},
            "cell": {
                "class": "subnetwork",
                "from": [],
                "subnetwork": {
                    "scaled": {"class": "combine", "kind": "mul", "from": ["base:prev:state", "base:base:w"]},
                    "output": {"class": "combine", "kind": "add", "from": ["scaled", "base:mean"]},
                },
            },
            "state": {"class": "activation", "activation": "tanh", "from": "cell", "initial_output": "base:first"},
            "output": {"class": "copy", "from": "state"},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False}
