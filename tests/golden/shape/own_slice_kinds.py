# slice with positive and negative ends, steps, of time, features and labels; then a masked reduction
extern_data = {"data": {"dim": 5}, "lab": {"dim": 7, "sparse": True}}
network = {"s1": {"class": "slice", "axis": "T", "slice_start": 1, "from": "data"},
           "s2": {"class": "slice", "axis": "T", "slice_start": 1, "slice_end": -1, "slice_step": 2, "from": "data"},
           "s3": {"class": "slice", "axis": "F", "slice_start": 1, "slice_end": 4, "from": "data"},
           "s4": {"class": "slice", "axis": "F", "slice_start": 1, "slice_end": -1, "slice_step": 2, "from": "data"},
           "s5": {"class": "slice", "axis": "T", "slice_end": -2, "from": "data:lab"},
           "s6": {"class": "slice", "axis": "T", "slice_step": 3, "from": "data"},
           "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "s2"},
           "s7": {"class": "slice", "axis": "T", "slice_end": 3, "from": "data"}}
case = {"lens": {"data": [5, 7, 6], "lab": [7, 4, 3]}}
