# search with a memory over the encoder's time: the initial value alone has that axis, what is written has the beam
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
vocab = FeatureDim("vocab", 5)
steps = Dim(None, name="steps")
behavior_version = 21
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {
    "mem0": {"class": "linear", "from": "data", "out_dim": hidden, "activation": "tanh"},
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
            "mem": {"class": "combine", "kind": "add", "from": ["prev:mem", "embed"], "initial_output": "base:mem0"},
            "e": {"class": "dot", "from": ["mem", "embed"], "reduce": hidden},
            "w": {"class": "softmax_over_spatial", "axis": time, "from": "e"},
            "s": {"class": "dot", "from": ["w", "mem"], "reduce": time},
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
