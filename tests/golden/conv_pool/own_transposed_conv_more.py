# transposed convolution over two axes, stride larger than the filter, output_padding and remove_padding per axis, mask
extern_data = {"data": {"dim": 2}, "img": {"dim": 2, "shape": (None, 3, 2)}, "tm": {"dim": 2, "shape": (None, 2), "time_dim_axis": 0, "batch_dim_axis": 1}}
network = {"wide": {"class": "transposed_conv", "filter_size": [2], "strides": [3], "padding": "valid", "n_out": 3, "from": "data"},
           "one": {"class": "transposed_conv", "filter_size": [3], "strides": [1], "n_out": 3, "with_bias": False, "from": "data"},
           "def": {"class": "transposed_conv", "filter_size": [2], "n_out": 3, "activation": "tanh", "from": "data"},
           "op": {"class": "transposed_conv", "filter_size": [4], "strides": [2], "output_padding": 1, "n_out": 3, "from": "data"},
           "rm": {"class": "transposed_conv", "filter_size": [5], "strides": [2], "padding": "same", "remove_padding": [1], "n_out": 3, "from": "data"},
           "img": {"class": "transposed_conv", "filter_size": [3, 2], "strides": [2, 2], "padding": "same", "n_out": 3, "from": "data:img"},
           "imgv": {"class": "transposed_conv", "filter_size": [3, 2], "strides": [2, 1], "padding": "valid", "remove_padding": [0, 1], "n_out": 3, "from": "data:img"},
           "lin": {"class": "linear", "activation": None, "n_out": 2, "from": "data"},
           "m": {"class": "transposed_conv", "filter_size": [5], "strides": [2], "use_time_mask": True, "n_out": 3, "from": "lin"},
           "tm": {"class": "transposed_conv", "filter_size": [3], "strides": [2], "n_out": 3, "from": "data:tm"},
           "obj": {"class": "eval", "from": "m", "eval": "source(0) ** 2", "loss": "as_is"},
           "obj2": {"class": "eval", "from": "img", "eval": "source(0) ** 2", "loss": "as_is"}}
