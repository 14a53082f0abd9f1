# a unit over the frames that each hypothesis of a search chooses, with encoder frames and the labels, decided afterwards
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True, "is_output_layer": True},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "emb"]},
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output"},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
    }},
    "mixed": {"class": "masked_computation", "mask": "output/emit", "from": "enc", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
        "e": {"class": "linear", "activation": None, "with_bias": False, "n_out": 2, "from": "base:output"}, "output": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": ["data", "e"]}}}},
    "bestf": {"class": "decide", "from": "mixed"},
}
case = {"search": True, "seed": 3, "param_scale": 1.0}
