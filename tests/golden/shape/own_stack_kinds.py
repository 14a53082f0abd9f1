# stack of sources with missing axes, of labels, with an axis number
extern_data = {"data": {"dim": 3}, "lab": {"dim": 7, "sparse": True}}
network = {"avg": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
           "st": {"class": "stack", "from": ["data", "avg"]},
           "st3": {"class": "stack", "from": ["data", "data", "data"], "axis": 1},
           "fe": {"class": "stack", "from": ["avg", "avg"]},
           "la": {"class": "stack", "from": ["data:lab", "data:lab"]}}
