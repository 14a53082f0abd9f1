# all kinds of dropout inside of a loop in training, at rates that keep everything
extern_data = {"data": {"dim": 3}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "d1": {"class": "dropout", "dropout": 1e-9, "from": ["data:source", "prev:output"]}, "d2": {"class": "dropout", "dropout": 1e-9, "dropout_noise_shape": {"*": None}, "from": "d1"},
    "d3": {"class": "linear", "activation": "tanh", "n_out": 4, "dropout": 1e-9, "dropout_noise_shape": {"B": None, "F": None}, "from": "d2"},
    "att": {"class": "self_attention", "num_heads": 2, "n_out": 4, "total_key_dim": 4, "attention_left_only": True, "attention_dropout": 1e-9, "from": "d3"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "att"}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"train": True}
