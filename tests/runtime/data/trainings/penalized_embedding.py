#!rnn.py
"""L2 on an embedding makes its gradient dense: all rows move."""

learning_rate = 0.1
optimizer = {"class": "momentum", "momentum": 0.9}
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data", "L2": 0.01},
    "output": {"class": "softmax", "from": "embed", "loss": "ce"},
}
