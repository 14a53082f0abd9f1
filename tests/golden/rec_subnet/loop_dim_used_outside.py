# a loop ends for each sequence and so defines its dim; layers outside reduce, weight and mask over it
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "len": {"class": "length", "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "zeros": {"class": "constant", "value": 0, "shape": [batch_dim], "dtype": "int32"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 6,
        "include_eos": True,
        "unit": {
            "i": {"class": "eval", "eval": "source(0) + 2", "from": "prev:i", "initial_output": "base:zeros"},
            "end": {"class": "compare", "kind": "greater_equal", "from": ["i", "base:len"]},
            "s": {"class": "linear", "from": "prev:s", "out_dim": feat, "activation": "tanh", "initial_output": "base:mean"},
            "output": {"class": "copy", "from": "s"},
        },
    },
    "energy": {"class": "linear", "from": "loop", "n_out": 1, "activation": None},
    "energy1": {"class": "squeeze", "axis": "F", "from": "energy"},
    "weights": {"class": "softmax_over_spatial", "axis": steps, "from": "energy1"},
    "pooled": {"class": "dot", "from": ["weights", "loop"], "reduce": steps},
    "steps": {"class": "length", "from": "loop", "axis": steps},
    "cross": {"class": "dot", "from": ["data", "loop"], "reduce": feat},
    "att": {"class": "softmax_over_spatial", "axis": steps, "from": "cross"},
    "read": {"class": "dot", "from": ["att", "loop"], "reduce": steps},
    "sq": {"class": "eval", "eval": "tf.square(source(0)) + source(1)", "from": ["read", "pooled"], "loss": "as_is"},
    "output": {"class": "copy", "from": "read"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
