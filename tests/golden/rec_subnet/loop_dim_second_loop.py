# a second loop, and a backward unit, run over the dim that the first loop's end defined
from returnn.tensor import Dim, batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
steps = Dim(None, name="steps")
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "len": {"class": "length", "from": "data", "axis": time, "dtype": "int32"},
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "first": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 5,
        "include_eos": True,
        "unit": {
            "i": {
                "class": "eval",
                "from": "prev:i",
                "eval": "source(0) + 2",
                "initial_output": 0,
                "out_type": {"dtype": "int32"},
            },
            "end": {"class": "compare", "from": ["i", "base:len"], "kind": "greater_equal"},
            "s": {
                "class": "linear",
                "from": "prev:s",
                "out_dim": feat,
                "activation": "tanh",
                "initial_output": "base:mean",
            },
            "output": {"class": "copy", "from": "s"},
        },
    },
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:first", "axis": steps},
            "h": {"class": "rec", "unit": "lstm", "from": ["x", "prev:h"], "axis": single_step_dim, "out_dim": hidden},
            "output": {"class": "copy", "from": "h"},
        },
    },
    "rev": {"class": "rec", "unit": "lstm", "direction": -1, "from": "first", "axis": steps, "out_dim": hidden},
    "output": {"class": "combine", "kind": "add", "from": ["loop", "rev"]},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
