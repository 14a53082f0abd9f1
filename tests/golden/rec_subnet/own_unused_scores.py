# outside of a search the scores that a choice would choose by are not computed: no language model, none of its parameters
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {"mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"}, "output": {"class": "rec", "from": [], "target": "classes", "optimize_move_layers_out": False, "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"}, "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["emb", "base:mean"]}, "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
    "lm": {"class": "subnetwork", "from": "prev:output", "subnetwork": {"e": {"class": "linear", "activation": None, "n_out": 3, "from": "data"}, "l": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "e"}, "output": {"class": "softmax", "n_out": 5, "from": "l"}}},
    "scores": {"class": "eval", "from": ["prob", "lm"], "eval": "safe_log(source(0)) + 0.3 * safe_log(source(1))"}, "output": {"class": "choice", "beam_size": 3, "from": "scores", "input_type": "log_prob", "target": "classes", "initial_output": 0}, "end": {"class": "compare", "from": "output", "value": 0}}}}
case = {"train": True, "seed": 2}
