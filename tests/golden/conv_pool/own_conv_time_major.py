# time-major input: the batch comes first in the result; 'same', 'valid' with a sequence that gets empty, strided pooling
extern_data = {"data": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}}
network = {"c": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 2, "activation": "tanh", "with_bias": True, "from": "data"},
           "v": {"class": "conv", "filter_size": (3,), "padding": "valid", "n_out": 2, "from": "data"},
           "p": {"class": "pool", "mode": "avg", "pool_size": (3,), "strides": 2, "padding": "same", "from": "data"},
           "r": {"class": "reduce", "mode": "mean", "axis": "T", "from": "p"},
           "obj": {"class": "eval", "from": "c", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1]}}
