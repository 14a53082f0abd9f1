# scaled_grad with layers as scale and shift (a number, per sequence, per feature), a shift by a sum over an axis, clipping
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

hidden = Dim(6, name="hidden")
network = {
    "half": {"class": "constant", "value": 0.5, "dtype": "float32"},
    "per_seq": {"class": "reduce", "mode": "mean", "axis": [time, feat], "from": "data"},
    "per_feature": {"class": "variable", "shape": (hidden,)},
    "h0": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "data"},
    "g0": {"class": "scaled_grad", "from": "h0", "scale": "half"},
    "h1": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "g0"},
    "g1": {"class": "scaled_grad", "from": "h1", "scale": "per_seq"},
    "h2": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "g1"},
    "g2": {"class": "scaled_grad", "from": "h2", "scale": 2.0, "shift": "per_feature"},
    "h3": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "g2"},
    "g3": {"class": "scaled_grad", "from": "h3", "scale": 1.0, "shift": 0.1, "scale_shift_by_sum_over_axis": hidden},
    "h4": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "g3"},
    "g4": {"class": "scaled_grad", "from": "h4", "scale": -1.5, "clip_max_axis": hidden},
    "h5": {"class": "linear", "out_dim": hidden, "activation": "tanh", "from": "g4"},
    "g5": {"class": "scaled_grad", "from": "h5", "scale": 0.0, "shift": 0.01, "scale_shift_by_sum_over_axis": time, "clip_max_axis": time},
    "output": {"class": "softmax", "from": "g5", "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
