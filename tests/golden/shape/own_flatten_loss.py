# a loss of what flatten_batch made: its mean is over the valid frames
extern_data = {"data": {"dim": 3}}
network = {"flat": {"class": "flatten_batch", "axis": "T", "from": "data"},
           "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "flat", "loss": "as_is"}}
case = {"lens": {"data": [5, 1, 3]}}
