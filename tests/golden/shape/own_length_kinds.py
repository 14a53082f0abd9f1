# length and range of other axes
extern_data = {"data": {"dim": 5, "shape": (None, 3, 5)}, "lab": {"dim": 7, "sparse": True}}
network = {"lb": {"class": "length", "axis": "B", "from": "data"}, "lf": {"class": "length", "axis": "F", "from": "data"},
           "ls": {"class": "length", "axis": "sparse_dim", "from": "data:lab"},
           "rs": {"class": "range_in_axis", "axis": "static:0", "from": "data"},
           "rsp": {"class": "range_in_axis", "axis": "T", "sparse": True, "from": "data"},
           "rd": {"class": "range_in_axis", "axis": "sparse_dim", "from": "data:lab"},
           "rr": {"class": "range", "start": 1, "limit": 8, "delta": 3, "dtype": "float32"},
           "sl": {"class": "slice", "axis": "T", "slice_start": 1, "from": "data"},
           "lsl": {"class": "length", "from": "sl"},
           "rf": {"class": "range_from_length", "from": "lsl"},
           "msk": {"class": "seq_len_mask", "mask_value": -9.0, "from": "data"},
           "st": {"class": "constant", "value": 1, "dtype": "int32", "with_batch_dim": True},
           "msk2": {"class": "seq_len_mask", "mask_value": 0.5, "start": "st", "window_start": "st", "window_size": 2, "from": "data"}}
