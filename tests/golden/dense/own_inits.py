# initializers with the config's own values (deterministic ones) and L2, spatial smoothing, darc1, trainable
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
 "a": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data", "L2": 0.1, "forward_weights_init": 0.5, "bias_init": "constant_initializer(value=-0.5)"},
 "b": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "a", "forward_weights_init": {"class": "Constant", "value": 0.25}, "bias_init": "ones", "trainable": False},
 "c": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "a", "forward_weights_init": "zeros", "bias_init": 1},
 "output": {"class": "softmax", "from": ["b", "c"], "loss": "ce", "forward_weights_init": "constant_initializer(0.3)", "L2": 0.01},
}
case = {"params": {"": "init"}, "time": {"data": 5, "classes": 5}}
