# one counter for all sequences: the loop's flags have no batch, and neither has its last value
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "len": {"class": "length", "from": "data", "axis": time, "dtype": "int32"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 2147483647,
        "include_eos": True,
        "name_scope": "",
        "out_shape": {steps},
        "unit": {
            "one": {"class": "constant", "value": 1, "shape": (), "dtype": "int32"},
            "i": {
                "class": "combine",
                "from": ["one", "prev:i"],
                "kind": "add",
                "initial_output": 0,
                "need_last": True,
                "out_shape": set(),
            },
            "max": {"class": "reduce", "from": "base:len", "mode": "max", "axis": (batch_dim,), "out_shape": set()},
            "end": {"class": "compare", "from": ["i", "max"], "kind": "greater_equal", "out_shape": set()},
            "output": {"class": "copy", "from": "end", "out_shape": set()},
        },
    },
    "last": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "i", "out_shape": set()},
    "output": {"class": "copy", "from": "loop"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
