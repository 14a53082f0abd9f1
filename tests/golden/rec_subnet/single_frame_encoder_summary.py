# units on an input without time, with an initial state, with an explicit one, and chained
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "last": {"class": "reduce", "mode": "max", "axis": time, "from": "data"},
    "h0": {"class": "linear", "from": "mean", "out_dim": hidden, "activation": "tanh"},
    "c0": {"class": "constant", "value": 0.25, "shape": [batch_dim, hidden]},
    "first": {"class": "rec", "unit": "lstm", "from": "mean", "axis": single_step_dim, "out_dim": hidden, "initial_state": {"h": "h0", "c": "c0"}},
    "first_c": {"class": "get_last_hidden_state", "from": "first", "key": "c", "out_dim": hidden},
    "second": {"class": "rec", "unit": "nativelstm2", "from": "last", "axis": single_step_dim, "out_dim": hidden, "reuse_params": "first", "state": {"h": "first", "c": "first_c"}},
    "no_time": {"class": "rec", "unit": "lstm", "from": "second", "out_dim": hidden, "initial_state": "var"},
    "sq": {"class": "eval", "eval": "tf.square(source(0))", "from": "no_time", "loss": "as_is"},
    "output": {"class": "copy", "from": "no_time"},
}
case = {"train": True, "search": False}
