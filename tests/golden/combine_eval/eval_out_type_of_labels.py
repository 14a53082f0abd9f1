# out_type on sources that are labels: pairs as labels of a larger set, numbers that are none, a flag, floats
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

pairs = Dim(16, name="pairs")
extern_data["other"] = {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim}
network = {
    "pair": {"class": "eval", "from": ["data:classes", "data:other"], "eval": "source(0) * 4 + source(1)", "out_type": {"sparse_dim": pairs}},
    "same": {"class": "eval", "from": ["data:classes", "data:other"], "eval": "tf.cast(tf.equal(source(0), source(1)), tf.float32)",
             "out_type": {"sparse_dim": None, "dtype": "float32"}},
    "number": {"class": "eval", "from": "data:other", "eval": "source(0) + 1", "out_type": {"sparse": False, "sparse_dim": None}},
    "capped": {"class": "eval", "from": "data:other", "eval": "tf.minimum(source(0) + 1, 5)", "out_type": {"dim": 6}},
    "long": {"class": "eval", "from": "data:other", "eval": "tf.cast(source(0) * 2, tf.int64)", "out_type": {"dim": 8, "dtype": "int64"}},
    "e1": {"class": "linear", "from": "pair", "n_out": 3, "activation": "tanh"},
    "e2": {"class": "linear", "from": "capped", "n_out": 3, "activation": "tanh"},
    "e3": {"class": "linear", "from": "long", "n_out": 3, "activation": "tanh"},
    "m": {"class": "eval", "from": ["e1", "same"], "eval": "source(0) * source(1)"},
    "output": {"class": "softmax", "from": ["m", "e2", "e3"], "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
