# slices with a declared axis, of another size in each step: attended over in the loop, and named by that axis outside of it
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 21
time_dim, n_dim, in_dim, out_dim = SpatialDim("time"), SpatialDim("n"), FeatureDim("in", 3), FeatureDim("out", 4)
seg_dim, cls_dim = SpatialDim("segment"), FeatureDim("cls", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}, "n": {"dim_tags": [batch_dim, n_dim], "sparse_dim": cls_dim}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "out_dim": out_dim, "from": "data"},
    "loop": {"class": "rec", "from": "data:n", "axis": n_dim, "unit": {
        "num": {"class": "reinterpret_data", "set_sparse": False, "from": "data:source"},
        "pos": {"class": "combine", "kind": "add", "from": ["num", "prev:pos"], "initial_output": 0},
        "seg": {"class": "slice_nd", "from": "base:enc", "start": "prev:pos", "size": "num", "out_spatial_dim": seg_dim, "is_output_layer": True},
        "q": {"class": "linear", "activation": "tanh", "out_dim": out_dim, "from": "prev:c"},
        "e": {"class": "dot", "reduce": out_dim, "from": ["seg", "q"]},
        "w": {"class": "softmax_over_spatial", "axis": seg_dim, "from": "e", "is_output_layer": True},
        "c": {"class": "dot", "reduce": seg_dim, "from": ["w", "seg"]},
        "output": {"class": "copy", "from": "c"},
    }},
    "w": {"class": "copy", "from": "loop/w"},
    "seg": {"class": "copy", "from": "loop/seg"},
    "lens": {"class": "length", "axis": seg_dim, "from": "loop/seg"},
    "total": {"class": "reduce", "mode": "sum", "axis": seg_dim, "from": "loop/w"},
    "top": {"class": "reduce", "mode": "max", "axis": seg_dim, "from": "loop/seg", "loss": "as_is"},
    "output": {"class": "copy", "from": "loop", "loss": "as_is"},
}
case = {"fetch": ["loop", "output", "top", "lens", "total"], "lens": {"data": [9, 8, 1], "n": [4, 5, 1]}, "inputs": {"n": [[1, 3, 2, 1, 1], [1, 2, 1, 1, 3], [1, 1, 1, 1, 1]]}}
