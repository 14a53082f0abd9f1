# shift_axis of several frames, without new lengths, of labels and features
extern_data = {"data": {"dim": 5}, "lab": {"dim": 7, "sparse": True}}
network = {"r2": {"class": "shift_axis", "axis": "T", "amount": 2, "pad": True, "pad_value": 3, "from": "data:lab"},
           "same": {"class": "shift_axis", "axis": "T", "amount": -2, "pad": True, "adjust_size_info": False, "from": "data"},
           "cr": {"class": "shift_axis", "axis": "T", "amount": 1, "pad": False, "from": "data"},
           "f": {"class": "shift_axis", "axis": "F", "amount": 1, "pad": False, "from": "data"},
           "red": {"class": "reduce", "mode": "sum", "axis": "T", "from": "cr"}}
case = {"lens": {"data": [4, 6, 1], "lab": [4, 6, 1]}}
