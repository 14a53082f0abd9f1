# a running sum that begins with a layer of outside, and a sum along another time axis in the same loop
from returnn.tensor import Dim, batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}, "other": {"dim_tags": [batch_dim, steps, feat]}}
network = {
    "h0": {"class": "reduce", "mode": "max", "axis": time, "from": "data"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "lin": {"class": "linear", "from": ["x", "prev:cum"], "out_dim": feat, "activation": "tanh"},
            "cum": {"class": "cumsum", "from": "lin", "axis": single_step_dim, "initial_output": "base:h0"},
            "outer": {"class": "combine", "kind": "add", "from": ["cum", "base:data:other"]},
            "cum2": {"class": "cumsum", "from": "outer", "axis": steps},
            "output": {"class": "reduce", "mode": "mean", "axis": steps, "from": "cum2"},
        },
    },
    "output": {"class": "copy", "from": "loop"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [4, 1, 3], "other": [1, 5, 2]}}
