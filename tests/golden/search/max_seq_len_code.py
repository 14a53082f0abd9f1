# max_seq_len is Python code with functions of TensorFlow; the search reaches it
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "half": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "enc"},
    "last": {"class": "reduce", "mode": "mean", "axis": "T", "from": "half"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "tf.maximum(max_len_from('base:half') * 2 - tf.constant(3), min(4, 9)) if True else 7", "unit": {
        "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 2, "from": "prev:output"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["base:last", "emb"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0},
    }},
}
case = {"search": True, "seed": 3, "param_scale": 1.0}
