# split_dims of features in three, of time in other orders, with explicit sizes, of labels
extern_data = {"data": {"dim": 12}, "lab": {"dim": 5, "sparse": True}, "st": {"dim": 4, "shape": (6, 4)}}
network = {"f3": {"class": "split_dims", "axis": "F", "dims": (2, -1, 3), "from": "data"},
           "f1": {"class": "split_dims", "axis": "F", "dims": (-1,), "from": "data"},
           "t1": {"class": "split_dims", "axis": "T", "dims": (-1, 1), "from": "data"},
           "t2": {"class": "split_dims", "axis": "T", "dims": (2, -1), "from": "data"},
           "t3": {"class": "split_dims", "axis": "T", "dims": (-1, 3), "pad_value": 4, "from": "data:lab"},
           "s1": {"class": "split_dims", "axis": "s:0", "dims": (2, -1), "from": "data:st"},
           "t4": {"class": "split_dims", "axis": "T", "dims": (-1, 2, 2), "from": "data"},
           "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "t4"}}
