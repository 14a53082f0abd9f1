#!rnn.py
"""A decoder with teacher forcing: its embedding of the last label leaves the loop. L2 is no loss, layers say things."""

learning_rate = 0.1
optimizer = {"class": "rmsprop", "epsilon": 1e-3, "momentum": 0.5}
decouple_constraints = True
accum_grad_multiple_step = 1
extern_data = {"data": {"dim": 3}, "classes": {"dim": 6, "sparse": True}}
network = {
    "encoder": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data", "L2": 0.02},
    "context": {"class": "reduce", "mode": "mean", "axis": "T", "from": "encoder"},
    "output": {
        "class": "rec", "from": [], "target": "classes", "L2": 0.05,
        "updater_opts": {"optimizer": {"class": "momentum", "momentum": 0.8}, "accum_grad_multiple_step": None},
        "unit": {
            "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "prev:output"},
            "state": {
                "class": "linear", "activation": "tanh", "n_out": 3, "from": ["embed", "prev:state", "base:context"],
                "L2": 0.01, "updater_opts": {"gradient_clip": 0.05},
            },
            "prob": {"class": "softmax", "from": "state", "target": "classes", "loss": "ce"},
            "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 2, "initial_output": 0},
        },
    },
}  # fmt: skip
