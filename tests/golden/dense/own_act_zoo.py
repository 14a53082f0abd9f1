# activations as strings: products, expressions, functions, in linear and activation
import tensorflow as tf
extern_data = {"data": {"dim": 4}}
acts = ["relu", "swish", "identity", "tanh", "sigmoid", "exp", "gelu", "log_softmax", "log_sigmoid", "softmax", "abs", "softplus", "10.000000*sigmoid", "elu", "selu", "relu6", "softsign", "linear", "square", "cos", "hard_sigmoid" , "leaky_relu", "silu", "sign", "cos", "sqr" ]
network = {}
for i, a in enumerate(acts):
    if a in ("linear", "hard_sigmoid", "sqr"): continue
    network["l%i" % i] = {"class": "linear", "n_out": 3, "activation": a, "from": "data"}
    network["a%i" % i] = {"class": "activation", "activation": a, "from": "data"}
network["log"] = {"class": "activation", "activation": "safe_log", "opts": {"eps": 1e-3}, "from": "sm"}
network["sm"] = {"class": "activation", "activation": "softmax", "from": "data"}
network["loss"] = {"class": "eval", "eval": "source(0) * source(1) + source(2)", "from": ["l1", "l6", "l21"], "loss": "as_is"}
