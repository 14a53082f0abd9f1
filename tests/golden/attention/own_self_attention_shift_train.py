# training, left-only attention with a key shift, on the output of an LSTM (time-major)
behavior_version = 21
extern_data = {"data": {"dim": 4}}
network = {
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "rel": {"class": "relative_positional_encoding", "from": "l", "n_out": 2, "clipping": 3, "fixed": False},
    "att": {"class": "self_attention", "num_heads": 2, "n_out": 6, "total_key_dim": 4, "attention_left_only": True, "key_shift": "rel", "L2": 0.1, "from": "l"},
    "obj": {"class": "eval", "from": "att", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"train": True}
