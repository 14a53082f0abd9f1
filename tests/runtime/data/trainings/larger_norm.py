#!rnn.py
"""The norm of the gradients is maximised, too; L2 on an embedding makes its gradient dense."""

behavior_version = 15  # before, RETURNN reads the step of a sum at no certain time
learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
maximize_grad_norm = 0.05
accum_grad_multiple_step = 2
gradient_clip_norm = 0.5
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data", "L2": 0.01},
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "embed"},
    "norm": {"class": "layer_norm", "from": "hidden", "updater_opts": {"maximize_grad_norm": 0}},
    "output": {"class": "softmax", "from": "norm", "loss": "ce"},
}
