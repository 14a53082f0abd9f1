# a layer in a loop has the transposed parameters of a layer behind the loop; another one those of a subnetwork's layer
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 21
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}


def transposed(reuse_layer, **kwargs):
    import tensorflow as tf

    return tf.transpose(reuse_layer.params["W"])


network = {
    "pre": {"class": "linear", "from": "data", "n_out": 6, "activation": "tanh"},
    "dec": {"class": "rec", "from": "pre", "unit": {
        "e": {"class": "linear", "from": "data:source", "n_out": 4, "activation": "tanh"},
        "emb": {"class": "linear", "from": "e", "n_out": 6, "activation": None, "with_bias": False,
                "reuse_params": {"map": {"W": {"reuse_layer": "base:logits", "custom": transposed}}}},
        "output": {"class": "linear", "from": ["emb", "prev:output"], "n_out": 6, "activation": "tanh"}}},
    "logits": {"class": "linear", "from": "dec", "out_dim": classes_dim, "activation": None},
    "output": {"class": "activation", "activation": "softmax", "from": "logits", "loss": "ce", "target": "classes"},
}
