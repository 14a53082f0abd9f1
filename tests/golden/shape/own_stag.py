# axes by the names of dims that layers made
extern_data = {"data": {"dim": 4}}
network = {"w": {"class": "window", "window_size": 3, "from": "data"},
           "w1": {"class": "reduce", "mode": "sum", "axis": "stag:w:window", "from": "w"},
           "m": {"class": "merge_dims", "axes": ["T", "stag:w:window"], "from": "w"},
           "m1": {"class": "reduce", "mode": "sum", "axis": "stag:extern_data:data", "from": "m"},
           "sp": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"},
           "sp1": {"class": "reduce", "mode": "sum", "axis": "stag:sp_split_dims0_rem", "from": "sp"},
           "sp2": {"class": "reduce", "mode": "sum", "axis": "stag:sp_split_dims1", "from": "sp"},
           "st": {"class": "stack", "from": ["data", "data"]},
           "st1": {"class": "reduce", "mode": "max", "axis": "stag:st:stack", "from": "st"},
           "p": {"class": "pad", "axes": "T", "padding": (1, 1), "from": "data"},
           "p1": {"class": "reduce", "mode": "sum", "axis": "stag:data", "from": "p"},
           "e": {"class": "expand_dims", "axis": "spatial", "dim": 2, "from": "data"},
           "e1": {"class": "reduce", "mode": "sum", "axis": "stag:e_expand_dims", "from": "e"},
           "sh": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "data"},
           "sl": {"class": "slice", "axis": "T", "slice_start": 1, "from": "data"},
           "sl1": {"class": "reduce", "mode": "sum", "axis": "stag:time", "from": "sl"},
           "tag": {"class": "reduce", "mode": "sum", "axis": "tag:feature:data", "from": "data"}}
