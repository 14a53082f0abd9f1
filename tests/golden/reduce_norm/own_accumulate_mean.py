# accumulate_mean with an initial value over other axes, and without a distribution; used by a loss
extern_data = {"data": {"dim": 3}, "vol": {"dim": 2, "shape": (None, 3, 2)}}
network = {"a": {"class": "accumulate_mean", "exp_average": 0.1, "initial_value": 0.5, "axes": ["B", "T", "dim:3"], "from": "data:vol"},
           "b": {"class": "accumulate_mean", "exp_average": 0.1, "from": "data"},
           "c": {"class": "accumulate_mean", "exp_average": 0.1, "from": "data:vol"},
           "s": {"class": "combine", "kind": "sub", "from": ["data", "b"]},
           "obj": {"class": "eval", "from": "s", "eval": "source(0) ** 2", "loss": "as_is"}}
