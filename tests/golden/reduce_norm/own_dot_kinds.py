# dot: several reduced axes, the same time axis kept on both sides, defaults of the old behaviour, look-up by labels, no time
extern_data = {"data": {"dim": 6, "shape": (None, 6)}, "tm": {"dim": 6, "shape": (None, 6), "time_dim_axis": 0, "batch_dim_axis": 1}, "vol": {"dim": 2, "shape": (None, 3, 2)}, "vec": {"dim": 6, "shape": (6,)}}
network = {"two": {"class": "dot", "from": ["data:vol", "data:vol"], "red1": ["dim:3", "F"], "red2": ["dim:3", "F"], "var1": None, "var2": None},
           "two1": {"class": "dot", "from": ["data:vol", "data:vol"], "red1": ["dim:3", "F"], "red2": ["dim:3", "F"], "var1": [], "var2": [], "add_var2_if_empty": False},
           "vec": {"class": "dot", "from": ["data", "data:vec"], "red1": "F", "red2": "F", "var1": "T", "var2": None},
           "vec2": {"class": "dot", "from": ["data:vec", "data:tm"], "red1": "F", "red2": "F", "var1": None, "var2": "T"},
           "rt": {"class": "dot", "from": ["data:vol", "data:vol"], "red1": "T", "red2": "T", "var1": ["dim:3", "F"], "var2": ["dim:3", "F"], "add_var2_if_empty": False},
           "auto": {"class": "dot", "from": ["data", "data:vec"], "red1": "F", "red2": "F", "var1": "auto", "var2": "auto"},
           "lin": {"class": "linear", "activation": None, "n_out": 6, "from": "data"},
           "batch": {"class": "dot", "from": ["lin", "data"], "red1": "T", "red2": "T", "var1": "F", "var2": "F"},
           "obj": {"class": "eval", "from": "batch", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "vol": [4, 1, 6], "tm": [2, 7, 3]}}
