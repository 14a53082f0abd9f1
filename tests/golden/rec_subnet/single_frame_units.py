# every unit as one layer of a loop, by single_step_dim, the loop's own dim or no axis, on a recurrent input
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "lstm": {"class": "rec", "unit": "lstm", "from": ["x", "prev:mix"], "axis": single_step_dim, "out_dim": hidden},
            "gru": {"class": "rec", "unit": "gru", "from": ["x", "prev:mix"], "axis": time, "out_dim": hidden},
            "low_mem": {"class": "rec", "unit": "nativelstmlowmem", "from": ["x", "prev:mix"], "out_dim": hidden},
            "highway": {"class": "rec", "unit": "rhn", "unit_opts": {"depth": 2}, "from": ["x", "prev:mix"], "out_dim": hidden, "initial_state": "var"},
            "zoneout": {"class": "rnn_cell", "unit": "zoneoutlstm", "from": ["x", "prev:mix"], "n_out": 4, "unit_opts": {"zoneout_factor_cell": 0.2}},
            "mix": {"class": "combine", "kind": "add", "from": ["lstm", "gru", "low_mem", "highway"]},
            "cell": {"class": "combine", "kind": "add", "from": ["zoneout", "prev:cell"]},
            "output": {"class": "copy", "from": ["mix", "cell"]},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": False, "search": False}
