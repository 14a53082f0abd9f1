# split of other axes; parts
extern_data = {"data": {"dim": 6, "shape": (None, 4, 6)}}
network = {"s": {"class": "split", "axis": "static:0", "size_splits": [1, 3], "from": "data"},
           "d": {"class": "split", "num_splits": 2, "from": "data"},
           "a": {"class": "copy", "from": "s/1"}, "b": {"class": "activation", "activation": "tanh", "from": "d/1"},
           "c": {"class": "squeeze", "axis": "static:0", "from": "s/0"}}
