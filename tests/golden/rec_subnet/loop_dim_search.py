# beam search over a dim that the search itself defines, read outside behind decide
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
enc_time = SpatialDim("enc_time")
feat = FeatureDim("feat", 3)
key = FeatureDim("key", 4)
vocab = FeatureDim("vocab", 5)
out_time = Dim(None, name="out_time")
extern_data = {"data": {"dim_tags": [batch_dim, enc_time, feat]}}
network = {
    "enc": {"class": "linear", "from": "data", "out_dim": key, "activation": "tanh"},
    "mean": {"class": "reduce", "mode": "mean", "axis": enc_time, "from": "enc"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": out_time,
        "max_seq_len": 6,
        "include_eos": True,
        "unit": {
            "embed": {"class": "linear", "from": "prev:output", "out_dim": key, "activation": None, "with_bias": False},
            "both": {"class": "combine", "kind": "add", "from": ["embed", "prev:s"]},
            "s": {"class": "linear", "from": "both", "out_dim": key, "activation": "tanh", "initial_output": "base:mean"},
            "count": {"class": "eval", "eval": "source(0) + 1", "from": "prev:count", "initial_output": 0, "out_type": {"dtype": "int32"}},
            "prob": {"class": "linear", "from": "s", "out_dim": vocab, "activation": "log_softmax"},
            "output": {"class": "choice", "from": "prob", "input_type": "log_prob", "target": None, "beam_size": 3, "search": True, "initial_output": 1},
            "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0},
        },
    },
    "output": {"class": "decide", "from": "loop"},
}
case = {"train": False, "search": True, "param_scale": 1.0}
