# search with a unit over the encoder's time in every step, and another one on a single frame
from returnn.tensor import Dim, batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
vocab = FeatureDim("vocab", 5)
steps = Dim(None, name="steps")
behavior_version = 30
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "enc": {"class": "linear", "from": "data", "out_dim": hidden, "activation": "tanh"},
    "loop": {
        "class": "rec",
        "from": [],
        "axis": steps,
        "max_seq_len": 6,
        "include_eos": True,
        "unit": {
            "embed": {
                "class": "linear",
                "from": "prev:output",
                "out_dim": hidden,
                "activation": None,
                "with_bias": False,
            },
            "both": {"class": "combine", "kind": "add", "from": ["base:enc", "embed"]},
            "h": {"class": "rec", "unit": "lstm", "from": "both", "axis": time, "out_dim": hidden},
            "m": {"class": "reduce", "mode": "mean", "axis": time, "from": "h"},
            "s": {"class": "rec", "unit": "gru", "from": ["m", "prev:s"], "axis": single_step_dim, "out_dim": hidden},
            "prob": {"class": "linear", "from": "s", "out_dim": vocab, "activation": "log_softmax"},
            "output": {
                "class": "choice",
                "from": "prob",
                "input_type": "log_prob",
                "target": None,
                "beam_size": 3,
                "search": True,
                "initial_output": 1,
            },
            "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0},
        },
    },
    "output": {"class": "decide", "from": "loop"},
}
case = {"train": False, "search": True, "param_scale": 1.0}
