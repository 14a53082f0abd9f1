# generalised self-attention that cannot leave the loop, with the history's length
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim, single_step_dim
behavior_version = 12
time_dim, hist = SpatialDim("time"), SpatialDim("history")
feat, kd = FeatureDim("feature", 4), FeatureDim("kd", 2)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat]}}
network = {"loop": {"class": "rec", "from": [], "axis": time_dim, "unit": {
    "src": {"class": "rec_unstack", "axis": time_dim, "from": "base:data"},
    "x": {"class": "combine", "kind": "add", "from": ["src", "prev:output"]},
    "k": {"class": "linear", "activation": None, "out_dim": kd, "from": "x"},
    "q": {"class": "linear", "activation": None, "out_dim": kd, "from": "x"},
    "acc": {"class": "cum_concat", "out_spatial_dim": hist, "from": "k"},
    "en": {"class": "dot", "from": ["q", "acc"], "reduce": kd},
    "w": {"class": "softmax_over_spatial", "is_output_layer": True, "axis": hist, "from": "en"},
    "ctx": {"class": "dot", "from": ["w", "acc"], "reduce": hist}, "m": {"class": "copy", "from": "ctx"},
    "len": {"class": "length", "axis": hist, "dtype": "float32", "from": "acc"},
    "mx": {"class": "reduce", "mode": "max", "axis": hist, "from": "acc"}, "mm": {"class": "copy", "from": "mx"},
    "output": {"class": "linear", "activation": "tanh", "out_dim": feat, "from": ["m", "mm"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}

case = {"fetch_extra": ["loop/w"]}
