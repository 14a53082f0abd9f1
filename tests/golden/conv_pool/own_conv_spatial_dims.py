# in_spatial_dims in another order than the axes, and fewer of them than there are: the others count as batch
behavior_version = 12
extern_data = {"data": {"dim": 2, "shape": (None, 4, 3, 2)}}
network = {"t": {"class": "conv", "filter_size": (3,), "padding": "valid", "n_out": 3, "in_spatial_dims": ["T"], "from": "data"},
           "f": {"class": "conv", "filter_size": (2,), "padding": "same", "strides": 2, "n_out": 3, "in_spatial_dims": ["dim:4"], "from": "data"},
           "tf": {"class": "conv", "filter_size": (2, 3), "padding": "same", "strides": (1, 2), "n_out": 3, "in_spatial_dims": ["dim:3", "T"], "from": "data"},
           "p": {"class": "pool", "mode": "max", "pool_size": (2, 2), "padding": "same", "in_spatial_dims": ["dim:4", "T"], "from": "data"},
           "r": {"class": "reduce", "mode": "max", "axis": "T", "from": "tf"},
           "obj": {"class": "eval", "from": "r", "eval": "source(0) ** 2", "loss": "as_is"}}
