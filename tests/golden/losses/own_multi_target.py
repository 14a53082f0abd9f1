# several targets on one layer, aux losses, loss_scale 0, is_output_layer, loss_opts scale, use_normalized_loss
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "sparse": True}, "cl2": {"dim": 3, "sparse": True}, "rg": {"dim": 3}}
network = {
 "h": {"class": "linear", "n_out": 4, "activation": "tanh"},
 "output": {"class": "softmax", "from": "h", "loss": "ce", "target": ["classes", "cl2"]},
 "reg": {"class": "linear", "activation": None, "n_out": 3, "from": "h", "loss": "mse", "target": "rg", "loss_scale": 0.25},
 "l1": {"class": "linear", "activation": "sigmoid", "from": "h", "loss": "mean_l1", "target": "rg", "loss_opts": {"scale": 0.5}, "n_out": 3},
 "zero": {"class": "softmax", "from": "h", "loss": "ce", "target": "cl2", "loss_scale": 0},
 "norm": {"class": "softmax", "from": "h", "loss": "ce", "target": "classes", "loss_opts": {"use_normalized_loss": True}},
 "binc": {"class": "linear", "activation": "sigmoid", "n_out": 3, "from": "h", "loss": "bin_ce", "target": "bt"},
 "bt": {"class": "eval", "from": "data:rg", "eval": "tf.cast(tf.greater(source(0), 0.), tf.float32)", "out_type": {"dtype": "float32"}, "register_as_extern_data": "bt"},
}
case = {"time": {"data": 5, "classes": 5, "cl2": 5, "rg": 5}}
