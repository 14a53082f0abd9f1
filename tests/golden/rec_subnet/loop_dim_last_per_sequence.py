# each sequence's own last value, of a loop whose end looks at the step before; what ends is not counted
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
steps = Dim(None, name="steps")
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "len": {"class": "length", "from": "data", "axis": time, "dtype": "int32"},
    "init": {"class": "constant", "value": 0, "shape": [batch_dim], "dtype": "int32"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 10,
        "include_eos": False,
        "name_scope": "",
        "out_shape": {batch_dim, steps},
        "unit": {
            "end_": {
                "class": "compare",
                "from": ["prev:add", "base:len"],
                "kind": "greater_equal",
                "out_shape": {batch_dim},
            },
            "end": {"class": "print", "from": "end_"},
            "one": {"class": "constant", "value": 1, "shape": (), "dtype": "int32"},
            "add_": {"class": "combine", "from": ["prev:add", "one"], "kind": "add", "out_shape": {batch_dim}},
            "add": {
                "class": "print",
                "from": "add_",
                "initial_output": "base:init",
                "need_last": True,
                "out_shape": {batch_dim},
            },
            "output": {"class": "copy", "from": "end", "out_shape": {batch_dim}},
        },
    },
    "final": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "add", "out_shape": {batch_dim}},
    "output": {"class": "copy", "from": "final"},
}
case = {"train": True, "search": False, "lens": {"data": [7, 1, 4]}}
