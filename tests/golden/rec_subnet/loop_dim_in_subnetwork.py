# a loop in a subnetwork defines a dim that the network around uses
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "sub": {
        "class": "subnetwork",
        "from": "data",
        "subnetwork": {
            "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
            "loop": {
                "class": "rec",
                "from": [],
                "axis": steps,
                "max_seq_len": 4,
                "unit": {
                    "n": {
                        "class": "eval",
                        "eval": "source(0) + 1",
                        "from": "prev:n",
                        "initial_output": 0,
                        "out_type": {"dtype": "int32"},
                    },
                    "end": {"class": "compare", "kind": "greater", "from": "n", "value": 3},
                    "h": {
                        "class": "linear",
                        "from": "prev:h",
                        "out_dim": feat,
                        "activation": "tanh",
                        "initial_output": "base:mean",
                    },
                    "output": {"class": "copy", "from": "h"},
                },
            },
            "output": {"class": "copy", "from": "loop"},
        },
    },
    "loop": {"class": "reduce", "mode": "sum", "axis": steps, "from": "sub"},
    "output": {"class": "dot", "from": ["sub", "data"], "reduce": feat},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [5, 1, 3]}}
