# variables that start with what layers give: a constant table, a function of another variable, with an axis of size one
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
    "c": {"class": "constant", "value": 0.5, "shape": (hidden,)},
    "v": {"class": "variable", "shape": (hidden,), "init_by_layer": "c", "L2": 0.1},
    "w": {"class": "variable", "shape": (feat, hidden), "init": "glorot_uniform"},
    "scaled": {"class": "eval", "from": "w", "eval": "source(0) * 2. + 1."},
    "w2": {"class": "variable", "shape": (feat, hidden), "init_by_layer": "scaled", "param_name": "table"},
    "h": {"class": "dot", "from": ["data", "w2"], "reduce": feat},
    "sum": {"class": "combine", "kind": "add", "from": ["h", "v"]},
    "output": {"class": "softmax", "from": "sum", "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
case = {"params": {"v/v": "init", "table": "init"}}
