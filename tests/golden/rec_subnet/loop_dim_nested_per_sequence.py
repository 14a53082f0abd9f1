# an inner loop ends for each sequence, in each step of an outer one that reduces over its dim
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
inner = Dim(None, name="inner")
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "m": {"class": "reduce", "mode": "sum", "axis": feat, "from": "x"},
            "pos": {"class": "eval", "eval": "tf.abs(source(0))", "from": "m"},
            "start": {"class": "combine", "kind": "add", "from": ["x", "prev:s"]},
            "fix": {
                "class": "rec",
                "from": [],
                "axis": inner,
                "max_seq_len": 5,
                "include_eos": True,
                "unit": {
                    "n": {"class": "eval", "eval": "source(0) + 0.7", "from": "prev:n", "initial_output": 0.0},
                    "end": {"class": "compare", "kind": "greater_equal", "from": ["n", "base:pos"]},
                    "h": {
                        "class": "linear",
                        "from": "prev:h",
                        "out_dim": feat,
                        "activation": "tanh",
                        "initial_output": "base:start",
                    },
                    "output": {"class": "copy", "from": "h"},
                },
            },
            "s": {"class": "reduce", "mode": "mean", "axis": inner, "from": "fix", "initial_output": "base:zeros"},
            "output": {"class": "copy", "from": "s"},
        },
    },
    "zeros": {"class": "constant", "value": 0.0, "shape": [batch_dim, feat]},
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [5, 1, 3]}}
