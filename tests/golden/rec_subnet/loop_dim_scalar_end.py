# one end for all sequences: the loop's dim has one length, its output all sequences' values
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 30
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "w": {"class": "variable", "shape": [feat]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 9,
        "unit": {
            "n": {
                "class": "eval",
                "eval": "source(0) + 1",
                "from": "prev:n",
                "initial_output": 0,
                "out_type": {"dtype": "int32"},
            },
            "end": {"class": "compare", "kind": "greater_equal", "from": "n", "value": 4},
            "scaled": {"class": "combine", "kind": "mul", "from": ["prev:s", "base:w"]},
            "s": {"class": "activation", "activation": "tanh", "from": "scaled", "initial_output": "base:mean"},
            "output": {"class": "copy", "from": "s"},
        },
    },
    "sum": {"class": "reduce", "mode": "sum", "axis": steps, "from": "loop"},
    "cum": {"class": "cumsum", "axis": steps, "from": "loop"},
    "len": {"class": "length", "axis": steps, "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "sum", "loss": "as_is"},
    "output": {"class": "copy", "from": "cum"},
}
case = {"train": True, "search": False}
