# filter and bias from other layers, in other orders of axes; transposed_conv with a permuted filter; expanded axes in several ways
extern_data = {"data": {"dim": 4}, "vec": {"dim": 2, "shape": (2,)}}
network = {"w": {"class": "variable", "shape": (3, 4, 2)}, "wb": {"class": "variable", "shape": (2,)},
           "c": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 2, "filter": "w", "bias": "wb", "from": "data"},
           "c2": {"class": "conv", "filter_size": (3,), "padding": "valid", "n_out": 2, "filter": "w", "bias": "data:vec", "activation": "tanh", "from": "data"},
           "wt": {"class": "variable", "shape": (5, 1, 2, 4)},
           "t": {"class": "transposed_conv", "filter_size": [5], "strides": [2], "n_out": 2, "filter": "wt", "bias": "wb", "from": "data"},
           "wp": {"class": "variable", "shape": (2, 4, 5)},
           "tp": {"class": "transposed_conv", "filter_size": [5], "strides": [3], "n_out": 2, "filter": "wp", "filter_perm": {"dim:2": "dim:5", "dim:4": "dim:2", "dim:5": "dim:4"}, "from": "data"},
           "e2": {"class": "conv", "filter_size": (3, 1, 1), "padding": "same", "n_out": 2, "input_expand_dims": 2, "from": "data"},
           "ea": {"class": "conv", "filter_size": (3, 1, 2), "padding": "valid", "n_out": 2, "input_expand_dims": 1, "input_add_feature_dim": True, "from": "data"},
           "sa": {"class": "conv", "filter_size": (2, 1, 2), "padding": "same", "n_out": 2, "input_split_feature_dim": 2, "input_add_feature_dim": True, "strides": (1, 2, 1), "from": "data"},
           "obj": {"class": "eval", "from": "c", "eval": "source(0) ** 2", "loss": "as_is"},
           "obj2": {"class": "eval", "from": "tp", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 3]}}
