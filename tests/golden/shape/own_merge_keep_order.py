# merge_dims from behaviour version 6: the order of the list, also with the batch axis
behavior_version = 6
extern_data = {"data": {"dim": 2, "shape": (None, 3, 2)}}
network = {"tb": {"class": "merge_dims", "axes": ["T", "B"], "from": "data"},
           "sb": {"class": "merge_dims", "axes": ["static:0", "B"], "from": "data"},
           "ft": {"class": "merge_dims", "axes": ["F", "T"], "from": "data"},
           "fs": {"class": "merge_dims", "axes": ["F", "static:0"], "from": "data"},
           "st": {"class": "merge_dims", "axes": ["static:0", "T"], "from": "data"},
           "red": {"class": "reduce", "mode": "sum", "axis": "T", "from": "st"},
           "mx": {"class": "reduce", "mode": "max", "axis": "T", "from": "st"}}
