# self_attention in a loop with relative positions as key_shift, fed by the loop
extern_data = {"data": {"dim": 4}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "x": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "rel": {"class": "relative_positional_encoding", "from": "x", "n_out": 2, "clipping": 2, "forward_weights_init": "glorot_uniform"},
    "att": {"class": "self_attention", "num_heads": 2, "n_out": 6, "total_key_dim": 4, "attention_left_only": True, "key_shift": "rel", "from": "x"},
    "att2": {"class": "self_attention", "num_heads": 1, "n_out": 2, "total_key_dim": 3, "attention_left_only": True, "from": "prev:att"},
    "output": {"class": "linear", "activation": "tanh", "from": ["att", "att2", "x"], "n_out": 4}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
