# as_is losses of expressions that keep one entry of an axis: RETURNN sums the tensor as it is
extern_data = {"data": {"dim": 3}, "img": {"dim": 2, "shape": (None, None, 2)}}
network = {
    "img": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data:img"},
    "most": {"class": "eval", "from": "img", "eval": "tf.reduce_max(source(0), axis=2, keepdims=True)", "loss": "as_is"},
    "mean": {"class": "eval", "from": "img", "eval": "tf.reduce_mean(source(0), axis=2, keepdims=True) + 1.0", "loss": "as_is"},
}
case = {"fetch": ["img"], "lens": {"data": [3, 7, 1], "img/1": [4, 3, 1], "img/2": [5, 2, 3]}}
