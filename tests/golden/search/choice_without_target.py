# a choice without a target, whose labels go back into a masked label model
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 21
time_dim, in_dim = SpatialDim("time"), FeatureDim("in", 3)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}}
network = {
    "enc": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "axis": time_dim, "unit": {
        "label": {"class": "reinterpret_data", "from": "prev:output", "set_sparse_dim": 5},
        "lm": {"class": "masked_computation", "mask": "prev:emit", "from": "label", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
            "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 2, "from": "data"},
            "output": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "emb"}}}},
        "s": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "lm"]},
        "labels": {"class": "linear", "activation": "log_softmax", "n_out": 4, "from": "s"},
        "blank": {"class": "linear", "activation": "log_sigmoid", "n_out": 1, "from": "s"},
        "all": {"class": "copy", "from": ["labels", "blank"]},
        "output": {"class": "choice", "target": None, "beam_size": 3, "from": "all", "input_type": "log_prob", "initial_output": 0, "length_normalization": False},
        "emit": {"class": "compare", "kind": "not_equal", "value": 4, "from": "output", "initial_output": True},
    }},
    "best": {"class": "decide", "from": "output"},
}
case = {"search": True, "lens": {"data": [3, 7, 1]}, "seed": 3, "param_scale": 1.0}
