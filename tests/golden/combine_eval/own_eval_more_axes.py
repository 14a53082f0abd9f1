# out_type has more axes than the sources: source(i) has an axis of size one for each of the others
extern_data = {"data": {"dim": 5}}
network = {
    "avg": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "a": {"class": "eval", "eval": "source(0) * tf.ones([7, 1])", "from": "data", "out_type": {"shape": (None, 7, 5), "dim": 5}},
    "b": {"class": "eval", "eval": "source(0) + tf.ones([3, 1])", "from": "avg", "out_type": {"shape": (3, 5), "dim": 5}},
    "c": {"class": "eval", "eval": "source(0) + source(1) * tf.ones([2, 1])", "from": ["data", "avg"], "out_type": {"shape": (None, 2, 5), "dim": 5}},
    "s": {"class": "eval", "eval": "tf.concat([source(0), source(0) * 2], axis=2)", "from": "data", "out_type": {"shape": (None, 2, 5), "dim": 5}},
}
