# losses of outputs without time, without batch, with a static axis, with several, of labels and of one sequence
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "seq": {"dim": 4, "sparse": True, "shape": ()}, "vec": {"shape": (4,)}, "fix": {"shape": (5, 3)}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "data"},
    "cls": {"class": "softmax", "from": "mean", "loss": "ce", "target": "seq"},
    "reg": {"class": "linear", "activation": None, "n_out": 4, "from": "mean", "loss": "mse", "target": "vec"},
    "l1": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "mean", "loss": "l1", "target": "vec", "loss_scale": 0.1},
    "ml1": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "mean", "loss": "mean_l1", "target": "vec"},
    "bin": {"class": "linear", "activation": None, "n_out": 4, "from": "mean", "loss": "bin_ce", "target": "vec"},
    "nobatch": {"class": "reduce", "mode": "sum", "axes": "B", "from": "mean", "loss": "as_is", "loss_scale": 0.1},
    "scalar": {"class": "reduce", "mode": "mean", "axes": ["B", "F"], "from": "reg", "loss": "as_is"},
    "static": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data:fix", "loss": "as_is"},
    "int": {"class": "reinterpret_data", "from": "data:classes", "set_sparse": False, "loss": "as_is", "loss_opts": {"as_error": True}},
    "copy": {"class": "copy", "from": "cls", "loss": "ce", "target": "layer:label"},
    "label": {"class": "reduce", "mode": "argmax", "axes": "F", "from": "reg"},
}
case = {"lens": {"data": [4, 1, 6], "classes": [4, 1, 6]}}
