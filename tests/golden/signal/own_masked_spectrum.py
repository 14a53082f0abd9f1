# a complex signal times a mask that an LSTM makes, as alternating real features for a complex linear projection
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "spec": {"class": "eval", "from": "data", "eval": "tf.complex(source(0), 0.5 * source(0) - 1.0)", "out_type": {"dtype": "complex64"}},
    "lstm": {"class": "rec", "unit": "nativelstm2", "from": "data", "n_out": 3},
    "mask": {"class": "linear", "from": "lstm", "n_out": 4, "activation": "sigmoid"},
    "clean": {"class": "signal_masking", "signal": "spec", "mask": "mask", "out_type": {"dim": 4, "dtype": "complex64"}},
    "real": {"class": "complex_to_alternating_real", "from": "clean", "out_type": {"dim": 8, "dtype": "float32"}},
    "clp": {"class": "complex_linear_projection", "from": "real", "nr_of_filters": 3},
    "output": {"class": "softmax", "from": "clp", "loss": "ce", "target": "classes"},
}
case = {"lens": {"data": [4, 1, 3], "classes": [4, 1, 3]}, "time": 4}
