# reuse_params with functions that make variables of their own: a scale on shared weights, an addend on tied ones
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

hidden = Dim(6, name="hidden")


def scaled(base_layer, reuse_layer, name, shape, dtype, getter, full_name, initializer, **kwargs):
    import tensorflow as tf

    if name != "W":
        return getter(name=full_name, shape=shape, dtype=dtype, initializer=initializer, **kwargs)
    ones = tf.compat.v1.constant_initializer(1.0)
    scale = getter(name=full_name + "_scale", shape=shape[1:], dtype=dtype, initializer=ones, **kwargs)
    return reuse_layer.params["W"] * scale


def tied(base_layer, reuse_layer, name, shape, getter, full_name, **kwargs):
    import tensorflow as tf

    if name == "b":
        return getter(name=full_name, shape=shape, **kwargs)
    return tf.transpose(reuse_layer.params["W"]) + 0.1 * getter(name=full_name + "_add", shape=shape, **kwargs)


network = {
    "down": {"class": "linear", "from": "data", "out_dim": hidden, "activation": "tanh", "L2": 0.05,
             "reuse_params": {"reuse_layer": "up", "custom": tied}},
    "inner": {"class": "linear", "from": "down", "out_dim": hidden, "activation": "tanh"},
    "again": {"class": "linear", "from": "inner", "out_dim": hidden, "activation": "tanh", "L2": 0.02,
              "reuse_params": {"reuse_layer": "inner", "custom": scaled}},
    "up": {"class": "linear", "from": "again", "out_dim": feat, "activation": "tanh"},
    "output": {"class": "softmax", "from": "up", "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
