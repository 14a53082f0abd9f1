# LM without a loop: embedding of sparse data, stack of lstms, shared softmax weights, ce with delayed target
extern_data = {"data": {"dim": 9, "sparse": True}, "delayed": {"dim": 9, "sparse": True, "available_for_inference": True}}
network = {
 "input": {"class": "linear", "n_out": 4, "activation": "identity", "from": ["data:delayed"], "with_bias": False, "forward_weights_init": "random_normal_initializer(mean=0.0, stddev=0.1)"},
 "lstm0": {"class": "rec", "unit": "lstm", "n_out": 5, "direction": 1, "from": ["input"], "dropout": 0.0},
 "lstm1": {"class": "rec", "unit": "standardlstm", "n_out": 4, "from": ["lstm0"], "dropout": 0.0, "unit_opts": {}},
 "gru": {"class": "rec", "unit": "gru", "n_out": 4, "from": ["lstm1", "input"]},
 "output": {"class": "softmax", "from": ["gru"], "loss": "ce", "target": "data", "use_transposed_weights": False, "dropout": 0.0, "bias_init": "constant_initializer(value=-1.5)"},
 "tied": {"class": "softmax", "from": "gru", "loss": "ce", "target": "data", "loss_scale": 0.5, "with_bias": True, "reuse_params": {"map": {"W": {"reuse_layer": "input", "custom": (lambda reuse_layer, **kw: reuse_layer.params["W"] )}, "b": None}}, "use_transposed_weights": True},
 "output:exp_like": {"class": "activation", "activation": "exp", "from": "output"},
}
case = {"time": {"data": 6, "delayed": 6}}
