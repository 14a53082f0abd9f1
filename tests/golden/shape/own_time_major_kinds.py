# time-major input through layers that keep or change the order
extern_data = {"data": {"dim": 4}, "lab": {"dim": 6, "sparse": True}}
network = {"tm": {"class": "reinterpret_data", "enforce_time_major": True, "from": "data"},
           "a": {"class": "slice", "axis": "T", "slice_start": 1, "from": "tm"},
           "b": {"class": "pad", "axes": "T", "padding": (1, 2), "from": "tm"},
           "c": {"class": "prefix_in_time", "prefix": 1.5, "from": "tm"},
           "d": {"class": "postfix_in_time", "postfix": 1.5, "from": "tm"},
           "e": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "tm"},
           "f": {"class": "squeeze", "axis": "F", "from": "g"}, "g": {"class": "slice", "axis": "F", "slice_end": 1, "from": "tm"},
           "h": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "tm"},
           "i": {"class": "stack", "from": ["tm", "tm"]},
           "j": {"class": "concat", "from": [("tm", "F"), ("data", "F")]},
           "k": {"class": "gather", "position": 0, "axis": "T", "from": "tm"},
           "l": {"class": "length", "from": "tm"},
           "m": {"class": "flatten_batch", "from": "tm"},
           "n": {"class": "unflatten_batch", "from": "m"},
           "o": {"class": "seq_len_mask", "mask_value": 0.0, "from": "tm"},
           "q": {"class": "resize", "axis": "T", "factor": 2, "kind": "nn", "from": "tm"},
           "r": {"class": "time_chunking", "chunk_size": 2, "chunk_step": 2, "from": "tm"},
           "s": {"class": "tile", "multiples": {"F": 2}, "from": "tm"},
           "t": {"class": "swap_axes", "axis1": "T", "axis2": "F", "from": "tm"},
           "u": {"class": "split", "axis": "F", "num_splits": 2, "from": "tm"}, "v": {"class": "copy", "from": ["u/1", "data"]}}
case = {"lens": {"data": [4, 7, 1], "lab": [4, 7, 1]}}
