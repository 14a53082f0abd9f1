# strides with dilation over one axis; groups with strides; depthwise with more outputs than inputs; use_time_mask
extern_data = {"data": {"dim": 4}}
network = {"sd": {"class": "conv", "filter_size": (3,), "strides": 2, "dilation_rate": 2, "padding": "same", "n_out": 2, "from": "data"},
           "sdv": {"class": "conv", "filter_size": (3,), "strides": 2, "dilation_rate": 2, "padding": "valid", "n_out": 2, "from": "data"},
           "gs": {"class": "conv", "filter_size": (3,), "strides": 2, "groups": 2, "padding": "same", "n_out": 4, "with_bias": True, "from": "data"},
           "dw": {"class": "conv", "filter_size": (4,), "groups": 4, "padding": "same", "n_out": 8, "from": "data"},
           "lin": {"class": "linear", "activation": None, "n_out": 4, "from": "data"},
           "m": {"class": "conv", "filter_size": (3,), "padding": "same", "use_time_mask": True, "n_out": 2, "from": "lin"},
           "all": {"class": "copy", "from": ["m", "dw"]},
           "obj": {"class": "eval", "from": "all", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [9, 7, 5]}}
