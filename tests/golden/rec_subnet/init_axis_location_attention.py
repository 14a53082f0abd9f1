# attention that sees the weights so far; these begin as a constant over the encoder's time
from returnn.tensor import batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
enc_time = SpatialDim("enc_time")
dec_time = SpatialDim("dec_time")
feat = FeatureDim("feat", 3)
key = FeatureDim("key", 4)
vocab = FeatureDim("vocab", 5)
extern_data = {
    "data": {"dim_tags": [batch_dim, enc_time, feat]},
    "classes": {"dim_tags": [batch_dim, dec_time], "sparse_dim": vocab},
}
network = {
    "enc": {"class": "linear", "from": "data", "out_dim": key, "activation": "tanh"},
    "accum0": {"class": "constant", "value": 0.0, "shape": [batch_dim, enc_time]},
    "zeros": {"class": "constant", "value": 0.0, "shape": [batch_dim, key]},
    "feedback": {"class": "variable", "shape": [key]},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": dec_time,
        "unit": {
            "label": {"class": "rec_unstack", "from": "base:data:classes", "axis": dec_time},
            "embed": {"class": "linear", "from": "label", "out_dim": key, "activation": None, "with_bias": False},
            "seen": {
                "class": "combine",
                "kind": "mul",
                "from": ["prev:accum", "base:feedback"],
                "allow_broadcast_all_sources": True,
            },
            "query": {"class": "combine", "kind": "add", "from": ["prev:s", "base:enc"]},
            "both": {"class": "combine", "kind": "add", "from": ["query", "seen"]},
            "act": {"class": "activation", "activation": "tanh", "from": "both"},
            "energy": {"class": "linear", "from": "act", "n_out": 1, "activation": None, "with_bias": False},
            "energy1": {"class": "squeeze", "from": "energy", "axis": "F"},
            "weights": {"class": "softmax_over_spatial", "from": "energy1", "axis": enc_time},
            "accum": {
                "class": "combine",
                "kind": "add",
                "from": ["prev:accum", "weights"],
                "initial_output": "base:accum0",
            },
            "context": {"class": "dot", "from": ["weights", "base:enc"], "reduce": enc_time},
            "s": {"class": "rec", "unit": "lstm", "from": ["context", "prev:embed"], "axis": single_step_dim, "out_dim": key},
            "output": {"class": "linear", "from": ["s", "context"], "out_dim": vocab, "activation": None},
        },
    },
    "output": {"class": "activation", "activation": "softmax", "from": "loop", "loss": "ce", "target": "classes"},
}
case = {"train": True, "search": False, "lens": {"data": [6, 1, 4], "classes": [3, 2, 1]}}
