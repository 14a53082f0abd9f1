# merge_dims with the batch, a network behind, and split_dims of the batch back; losses in between
extern_data = {"data": {"dim": 2, "shape": (None, 3, 2)}, "d2": {"dim": 4, "shape": (5, 4)}}
network = {"bs": {"class": "merge_dims", "axes": ["B", "static:0"], "from": "data"},
           "l": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "bs"},
           "rec": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "l"},
           "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "rec"},
           "ob": {"class": "eval", "eval": "source(0) ** 2", "from": "l", "loss": "as_is"},
           "x": {"class": "merge_dims", "axes": ["B", "static:0"], "from": "data:d2"},
           "l2": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "x"},
           "om": {"class": "eval", "eval": "source(0) ** 2", "from": "l2", "loss": "as_is"}}
