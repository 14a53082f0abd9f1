# slice with a negative step turns the whole padded axis around
extern_data = {"data": {"dim": 5}}
network = {"r": {"class": "slice", "axis": "F", "slice_step": -1, "from": "data"},
           "r2": {"class": "slice", "axis": "F", "slice_step": -2, "from": "data"},
           "rt": {"class": "slice", "axis": "T", "slice_step": -1, "from": "data"}}
