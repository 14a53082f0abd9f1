#!rnn.py
"""An embedding whose rows are updated where a batch uses them."""

learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "embed"},
    "output": {"class": "softmax", "from": "hidden", "loss": "ce"},
}
