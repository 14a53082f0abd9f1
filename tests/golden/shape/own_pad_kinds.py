# pad of labels, of two axes with one amount, modes over time, a value from a layer
extern_data = {"data": {"dim": 3, "shape": (None, 4, 3)}, "lab": {"dim": 7, "sparse": True}}
network = {"pl": {"class": "pad", "axes": "T", "padding": (2, 1), "value": 3, "from": "data:lab"},
           "both": {"class": "pad", "axes": ["T", "F"], "padding": 1, "value": -1.5, "from": "data"},
           "refl": {"class": "pad", "axes": "T", "padding": (2, 1), "mode": "reflect", "from": "data"},
           "hd": {"class": "pad", "axes": ["T", "static:0"], "padding": (1, 2), "handle_dynamic_dims": True, "value": 2, "from": "data"},
           "sym": {"class": "pad", "axes": ["static:0", "F"], "padding": [(1, 2), (0, 1)], "mode": "symmetric", "from": "data"},
           "rp": {"class": "pad", "axes": "T", "padding": (1, 2), "mode": "replication", "from": "data"},
           "c": {"class": "constant", "value": 7.0},
           "cv": {"class": "pad", "axes": "F", "padding": (1, 1), "value": "c", "from": "data"}}
case = {"lens": {"data": [5, 7, 4]}}
