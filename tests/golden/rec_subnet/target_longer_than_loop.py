# targets that are longer than the source: the loop reads as many frames as it has steps
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "loop": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output", "is_output_layer": True},
        "s": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "emb", "prev:s"], "is_output_layer": True},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
    }},
    "o": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "loop"},
    "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "o"},
    "s2": {"class": "copy", "from": "loop/s"},
    "e": {"class": "copy", "from": "loop/emb"},
    "output": {"class": "copy", "from": "m", "loss": "as_is"},
}
case = {"lens": {"data": [7, 4, 1], "classes": [5, 9, 2]}}
