# cells step by step over a source that has the encoder's axis too
from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim, single_step_dim
behavior_version = 12
time_dim, enc_dim = SpatialDim("time"), SpatialDim("enc")
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("feature", 4)]}, "enc": {"dim_tags": [batch_dim, enc_dim, FeatureDim("ef", 4)]}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "y": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "x": {"class": "combine", "kind": "add", "from": ["base:data:enc", "y"], "allow_broadcast_all_sources": True},
    "cs2": {"class": "cumsum", "axis": enc_dim, "from": "x"},
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "axis": single_step_dim, "from": "cs2"},
    "r": {"class": "reduce", "mode": "mean", "axis": enc_dim, "from": "l"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "r"}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
