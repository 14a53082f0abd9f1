# reduce on time-major input, integer axes (batch axis in front), keep_dims of several kinds, two dynamic axes, enforce_batch_dim_axis
extern_data = {"data": {"dim": 3, "shape": (None, 3), "time_dim_axis": 0, "batch_dim_axis": 1}, "img": {"dim": 2, "shape": (None, None, 2)}, "vol": {"dim": 2, "shape": (None, 3, 2)}}
network = {"i1": {"class": "reduce", "mode": "max", "axis": 1, "from": "data"},
           "im1": {"class": "reduce", "mode": "sum", "axes": [-1], "from": "data"},
           "i2": {"class": "reduce", "mode": "min", "axes": [1, 2], "from": "data:vol"},
           "s0": {"class": "reduce", "mode": "mean", "axis": "s:0", "from": "data"},
           "e1": {"class": "reduce", "mode": "mean", "axis": "F", "enforce_batch_dim_axis": 1, "from": "data:vol"},
           "ka": {"class": "reduce", "mode": "argmax", "axis": "T", "keep_dims": True, "from": "data"},
           "kl": {"class": "reduce", "mode": "logsumexp", "axes": ["T", "F"], "keep_dims": True, "from": "data"},
           "ib": {"class": "reduce", "mode": "mean", "axis": "spatial", "from": "data:img"},
           "i0": {"class": "reduce", "mode": "max", "axis": "stag:spatial2", "from": "data:img"},
           "ix": {"class": "reduce", "mode": "sum", "axis": "except_time", "from": "data:img"},
           "btv": {"class": "reduce", "mode": "mean", "axes": ["B", "T", "static:0"], "from": "data:vol"},
           "btf": {"class": "reduce", "mode": "mean", "axes": "btf", "from": "data:vol"},
           "am": {"class": "reduce", "mode": "argmin", "axis": "dim:3", "from": "data:vol"},
           "back": {"class": "combine", "kind": "add", "from": ["data:vol", "e1b"]}, "e1b": {"class": "reduce", "mode": "mean", "axis": "T", "keep_dims": True, "from": "data:vol"},
           "mn": {"class": "math_norm", "p": 3, "axis": "T", "from": "data"}, "mnk": {"class": "math_norm", "p": 2, "axes": ["T", "F"], "keep_dims": True, "from": "data:vol"},
           "obj": {"class": "eval", "from": "back", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "vol": [4, 1, 6], "img/1": [6, 7, 3], "img/2": [4, 5, 6]}}
