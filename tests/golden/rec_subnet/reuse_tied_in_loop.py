# in a loop: an embedding of the previous label tied to the logits of this step, which depend on it
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}



def transposed(reuse_layer, **kwargs):
    import tensorflow as tf

    return tf.transpose(reuse_layer.params["W"])


network = {
    "enc": {"class": "linear", "from": "data", "n_out": 7, "activation": "tanh"},
    "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
        "emb": {"class": "linear", "from": "prev:output", "n_out": 6, "activation": None, "with_bias": False,
                "reuse_params": {"map": {"W": {"reuse_layer": "logits", "custom": transposed}}}},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["emb", "data:source"], "n_out": 6},
        "logits": {"class": "linear", "from": "s", "out_dim": classes_dim, "activation": None},
        "prob": {"class": "activation", "activation": "softmax", "from": "logits", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0}}},
}
case = {"lens": {"data": [3, 7, 1]}}
