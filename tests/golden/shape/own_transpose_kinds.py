# transpose and swap_axes, seen through layers that name axes
extern_data = {"data": {"dim": 4, "shape": (None, 3, 4)}}
network = {"t": {"class": "transpose", "perm": {"B": "T", "T": "B"}, "from": "data"},
           "tf": {"class": "transpose", "perm": {"F": "T", "T": "F"}, "from": "data"},
           "tr": {"class": "reduce", "mode": "sum", "axis": "F", "from": "tf"},
           "sw": {"class": "swap_axes", "axis1": "T", "axis2": "F", "from": "data"},
           "sr": {"class": "reduce", "mode": "sum", "axis": "F", "from": "sw"},
           "st": {"class": "swap_axes", "axis1": "T", "axis2": "static:0", "from": "data"},
           "sm": {"class": "merge_dims", "axes": "static", "from": "st"}}
