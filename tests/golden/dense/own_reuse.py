# reuse_params: map to several layers, auto_create_missing, layer_output, L2 on shared parameters; no effect on a subnetwork
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
import tensorflow as tf
network = {
  "a": {"class": "linear", "activation": "tanh", "n_out": 3, "with_bias": False, "from": "data", "L2": 0.01},
  "b": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "a"},
  "c": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "b", "L2": 0.1, "reuse_params": {"map": {"W": "a", "b": {"reuse_layer": "b"}}}},
  "d": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "c", "reuse_params": {"reuse_layer": "a", "auto_create_missing": True}},
  "e": {"class": "linear", "activation": "relu", "n_out": 3, "from": "d", "reuse_params": {"map": {"W": {"reuse_layer": "a", "custom": lambda reuse_layer, **kw: tf.transpose(reuse_layer.params["W"]) * 0.5}}, "auto_create_missing": True}},
  "v": {"class": "variable", "shape": [3, 3], "init": "glorot_uniform"},
  "f": {"class": "linear", "activation": None, "n_out": 3, "from": "e", "with_bias": False, "reuse_params": {"map": {"W": {"layer_output": "v"}}}},
  "sub": {"class": "subnetwork", "from": "f", "subnetwork": {"l1": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "output": {"class": "linear", "activation": None, "n_out": 3, "from": "l1"}}},
  "sub2": {"class": "subnetwork", "from": "sub", "reuse_params": "sub", "subnetwork": {"l1": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "output": {"class": "linear", "activation": None, "n_out": 3, "from": "l1"}}},
  "output": {"class": "softmax", "from": "sub2", "loss": "ce", "target": "classes"}}
