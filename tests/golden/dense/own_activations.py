# more activation forms: arithmetic of names, expressions in x, other names; on linear and activation layers
extern_data = {"data": {"dim": 4}}
_names = ["neg", "square", "relu6", "leaky_relu", "selu", "elu", "softsign", "silu", "sign", "sin", "cos", "floor", "gelu2", "gelu3", "log1p", "rsqrt", "reciprocal", "negative", "1-sigmoid", "2*tanh", "3 + 2 * sigmoid", "tanh/2", "relu*sigmoid", "tf.tanh(x) + 0.5 * x", "tf.nn.relu(x) ** 2", "tf.clip_by_value(x, -0.1, 0.2)", "none", "stop_gradient", "2.0*softmax"]
network = {"pos": {"class": "activation", "activation": "exp", "from": "data"}}
for _i, _n in enumerate(_names):
    network["a%i" % _i] = {"class": "activation", "activation": _n, "from": "pos" if _n in ("log1p", "rsqrt", "reciprocal") else "data"}
network["lin"] = {"class": "linear", "activation": "0.5*tanh", "n_out": 2, "from": "data"}
network["lin2"] = {"class": "linear", "activation": "tf.nn.softmax(x)", "n_out": 3, "from": "lin"}
network["sl"] = {"class": "activation", "activation": "safe_log", "from": "lin2"}
network["se"] = {"class": "activation", "activation": "safe_exp", "from": "lin2"}
network["obj"] = {"class": "eval", "from": "sl", "eval": "source(0) ** 2", "loss": "as_is"}
network["obj2"] = {"class": "eval", "from": "se", "eval": "source(0) ** 2", "loss": "as_is"}
