# dct keeps the feature dim of its source: layers behind it address it by the Dim
from returnn.tensor import Dim, batch_dim
time_dim, feat, out = Dim(None, name="time"), Dim(5, name="feat", kind=Dim.Types.Feature), Dim(3, name="out", kind=Dim.Types.Feature)
behavior_version = 26
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat], "dtype": "float32"}}
network = {"dct": {"class": "dct", "from": "data"}, "min": {"class": "reduce", "mode": "min", "axis": feat, "from": "dct"},
  "scale": {"class": "constant", "value": -0.5, "shape": [feat], "dtype": "float32"}, "mul": {"class": "combine", "kind": "mul", "from": ["dct", "scale"]},
  "both": {"class": "combine", "kind": "add", "from": ["dct", "data"]}, "lin": {"class": "linear", "activation": "tanh", "out_dim": out, "in_dim": feat, "from": "dct"},
  "obj": {"class": "eval", "from": "lin", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [4, 7, 1]}}
