# merge_dims of batch, of time with features, of dynamic axes in other orders
extern_data = {"data": {"dim": 2, "shape": (None, 3, 2)}, "lab": {"dim": 5, "sparse": True}}
network = {"bt": {"class": "merge_dims", "axes": "BT", "from": "data"},
           "bt_lab": {"class": "merge_dims", "axes": ["B", "T"], "from": "data:lab"},
           "bs": {"class": "merge_dims", "axes": ["B", "static:0"], "from": "data"},
           "bsr": {"class": "reduce", "mode": "mean", "axis": "T", "from": "bs"},
           "bts": {"class": "merge_dims", "axes": ["T", "B", "static:0"], "from": "data"},
           "tf": {"class": "merge_dims", "axes": ["T", "F"], "from": "data"},
           "ts": {"class": "merge_dims", "axes": ["static:0", "T"], "from": "data"},
           "all": {"class": "merge_dims", "axes": "except_batch", "from": "data"},
           "one": {"class": "merge_dims", "axes": "F", "from": "data"},
           "back": {"class": "split_batch_time", "base": "data", "from": "bt"}}
