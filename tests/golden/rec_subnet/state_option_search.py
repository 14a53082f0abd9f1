# search with a unit whose state is given by the step before of a layer behind it
from returnn.tensor import Dim, batch_dim, single_step_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

time = SpatialDim("time")
feat = FeatureDim("feat", 3)
hidden = FeatureDim("hidden", 4)
vocab = FeatureDim("vocab", 5)
steps = Dim(None, name="steps")
slots = SpatialDim("slots")
behavior_version = 21
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, slots], "sparse_dim": vocab, "available_for_inference": False},
}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": time, "from": "data"},
    "h0": {"class": "linear", "from": "mean", "out_dim": hidden, "activation": "tanh"},
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
            "s": {
                "class": "rec",
                "unit": "gru",
                "from": "embed",
                "axis": single_step_dim,
                "out_dim": hidden,
                "state": "prev:t",
            },
            "t": {"class": "linear", "from": "s", "out_dim": hidden, "activation": "tanh", "initial_output": "base:h0"},
            "prob": {"class": "linear", "from": "s", "out_dim": vocab, "activation": "log_softmax"},
            "output": {
                "class": "choice",
                "from": "prob",
                "input_type": "log_prob",
                "target": "classes",
                "beam_size": 3,
                "search": True,
                "initial_output": 1,
            },
            "end": {"class": "compare", "kind": "equal", "from": "output", "value": 0},
        },
    },
    "output": {"class": "decide", "from": "loop", "target": "classes"},
}
case = {"train": False, "search": True, "param_scale": 1.0}
