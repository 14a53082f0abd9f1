# an inner loop with a dim of its own finds its end in each step of an outer one, which reduces over it
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
inner = Dim(None, name="inner")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "zeros": {"class": "constant", "value": 0.0, "shape": [batch_dim, feat]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "start": {"class": "combine", "kind": "add", "from": ["x", "prev:s"]},
            "fix": {
                "class": "rec",
                "from": [],
                "axis": inner,
                "max_seq_len": 5,
                "include_eos": True,
                "unit": {
                    "n": {"class": "eval", "eval": "source(0) + 1", "from": "prev:n", "initial_output": 0, "out_type": {"dtype": "int32"}},
                    "end": {"class": "compare", "kind": "greater_equal", "from": "n", "value": 3},
                    "h": {"class": "linear", "from": "prev:h", "out_dim": feat, "activation": "tanh", "initial_output": "base:start"},
                    "output": {"class": "copy", "from": "h"},
                },
            },
            "s": {"class": "reduce", "mode": "mean", "axis": inner, "from": "fix", "initial_output": "base:zeros"},
            "output": {"class": "copy", "from": "s"},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False}
