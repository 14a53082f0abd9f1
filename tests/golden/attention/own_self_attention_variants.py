# left-only attention whose tail a convolution sees; time-major input
extern_data = {"data": {"dim": 3}, "tm": {"dim": 4, "time_dim_axis": 0, "batch_dim_axis": 1}}
network = {
    "a": {"class": "self_attention", "num_heads": 2, "n_out": 4, "total_key_dim": 4, "from": "data"},
    "b": {"class": "self_attention", "num_heads": 4, "n_out": 4, "total_key_dim": 8, "attention_left_only": True, "from": "data:tm"},
    "c": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "activation": None, "with_bias": True, "from": "b"},
    "d": {"class": "self_attention", "num_heads": 1, "n_out": 2, "total_key_dim": 3, "from": "c"},
    "e": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "activation": None, "with_bias": True, "from": "d"},
    "oa": {"class": "eval", "from": "a", "eval": "source(0) ** 2", "loss": "as_is"},
    "oe": {"class": "eval", "from": "e", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"lens": {"data": [3, 1, 5], "tm": [2, 6, 1]}}
