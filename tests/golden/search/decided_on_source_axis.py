# a decision in a time-synchronous search keeps the axis of the source: labels go with encoder frames, and choose among them
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 21
time_dim, in_dim, enc_dim, label_dim = SpatialDim("time"), FeatureDim("in", 3), FeatureDim("enc", 4), FeatureDim("labels", 5)
emb_dim, hid_dim, kept_dim = FeatureDim("emb", 3), FeatureDim("hid", 4), SpatialDim("kept")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}, "classes": {"dim_tags": [batch_dim, time_dim], "sparse_dim": label_dim, "available_for_inference": False}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "out_dim": enc_dim, "from": "data"},
    "loop": {"class": "rec", "from": "enc", "axis": time_dim, "target": "classes", "unit": {
        "emb": {"class": "linear", "out_dim": emb_dim, "activation": None, "with_bias": False, "from": "prev:output"},
        "s": {"class": "linear", "activation": "tanh", "out_dim": hid_dim, "from": ["data:source", "emb"]},
        "prob": {"class": "softmax", "from": "s", "out_dim": label_dim},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "is_output_layer": True}}},
    "best": {"class": "decide", "from": "loop"},
    "emit": {"class": "decide", "from": "loop/emit"},
    "best_emb": {"class": "linear", "activation": None, "out_dim": enc_dim, "from": "best"},
    "sum": {"class": "combine", "kind": "add", "from": ["best_emb", "enc"]},
    "both": {"class": "switch", "condition": "emit", "true_from": "sum", "false_from": "enc"},
    "kept": {"class": "masked_computation", "mask": "emit", "from": "sum", "in_spatial_dim": time_dim, "out_spatial_dim": kept_dim, "unit": {"class": "rec", "unit": "lstm", "axis": kept_dim, "from": "data", "n_out": 3}},
    "output": {"class": "reduce", "mode": "mean", "axis": kept_dim, "from": "kept"},
}
case = {"search": True, "lens": {"data": [3, 7, 1], "classes": [3, 7, 1]}, "seed": 3, "param_scale": 1.0}
