# embedding tied to the logits that depend on it: a custom function transposes, the bias is the layer's own, L2 of both
behavior_version = 21
extern_data = {"data": {"dim": 11, "sparse": True}, "classes": {"dim": 11, "sparse": True}}


def transposed(base_layer, reuse_layer, name, shape, getter, full_name, **kwargs):
    import tensorflow as tf

    return tf.transpose(reuse_layer.params["W"])


network = {
    "emb": {"class": "linear", "n_out": 8, "activation": None, "from": "data", "L2": 0.1,
            "reuse_params": {"map": {"W": {"reuse_layer": "logits", "custom": transposed}, "b": None}}},
    "a": {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "emb"},
    "logits": {"class": "linear", "n_out": 11, "activation": None, "from": "a", "L2": 0.02},
    "output": {"class": "activation", "activation": "softmax", "from": "logits", "loss": "ce", "target": "classes"},
}
