# an LSTM written out with dot and split, both states begin with values from outside that alone have a batch
from returnn.tensor import batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 30
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
gates = 4 * hidden
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "h0_w": {"class": "variable", "shape": [feat, hidden]},
    "h0": {"class": "dot", "from": ["mean", "h0_w"], "reduce": feat},
    "c0": {"class": "constant", "value": 0.5, "shape": [batch_dim, hidden]},
    "w": {"class": "variable", "shape": [feat, gates]},
    "w_re": {"class": "variable", "shape": [hidden, gates]},
    "b": {"class": "variable", "shape": [gates]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": time,
        "unit": {
            "x": {"class": "rec_unstack", "from": "base:data:data", "axis": time},
            "ff": {"class": "dot", "from": ["x", "base:w"], "reduce": feat},
            "re": {"class": "dot", "from": ["prev:h", "base:w_re"], "reduce": hidden},
            "z": {"class": "combine", "kind": "add", "from": ["ff", "re"]},
            "zb": {"class": "combine", "kind": "add", "from": ["z", "base:b"]},
            "parts": {"class": "split", "from": "zb", "axis": gates, "out_dims": [hidden] * 4},
            "j": {"class": "activation", "activation": "tanh", "from": "parts/0"},
            "i": {"class": "activation", "activation": "sigmoid", "from": "parts/1"},
            "f": {"class": "activation", "activation": "sigmoid", "from": "parts/2"},
            "o": {"class": "activation", "activation": "sigmoid", "from": "parts/3"},
            "new": {"class": "combine", "kind": "mul", "from": ["i", "j"]},
            "old": {"class": "combine", "kind": "mul", "from": ["f", "prev:c"]},
            "c": {"class": "combine", "kind": "add", "from": ["new", "old"], "initial_output": "base:c0"},
            "ct": {"class": "activation", "activation": "tanh", "from": "c"},
            "h": {"class": "combine", "kind": "mul", "from": ["o", "ct"], "initial_output": "base:h0"},
            "output": {"class": "copy", "from": "h"},
        },
    },
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "loop", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False}
