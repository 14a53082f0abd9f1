# dot with Dim objects and strict equality: look-up by the sparse dim, reduce a list, shared axes by identity only
from returnn.tensor import Dim, batch_dim
behavior_version = 16
time = Dim(None, name="time")
feat = Dim(3, name="feat", kind=Dim.Types.Feature)
heads = Dim(3, name="heads")
labels = Dim(5, name="labels", kind=Dim.Types.Feature)
emb = Dim(2, name="emb", kind=Dim.Types.Feature)
extern_data = {"data": {"dim_tags": [batch_dim, time, heads, feat]}, "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels}, "table": {"dim_tags": [batch_dim, labels, emb]}}
network = {"f": {"class": "dot", "from": ["data", "data"], "reduce": feat},
           "hf": {"class": "dot", "from": ["data", "data"], "reduce": [heads, feat]},
           "t": {"class": "dot", "from": ["data", "f"], "reduce": time},
           "lk": {"class": "dot", "from": ["data:classes", "data:table"], "reduce": labels},
           "ln": {"class": "layer_norm", "in_dim": heads, "from": "data"},
           "n": {"class": "norm", "axis": [heads, feat], "param_shape": [heads, feat], "from": "data"},
           "so": {"class": "softmax_over_spatial", "axis": heads, "from": "data"},
           "obj": {"class": "eval", "from": "n", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "classes": [5, 7, 1]}}
