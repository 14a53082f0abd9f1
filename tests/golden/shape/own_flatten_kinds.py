# flatten_batch with a further axis and a reduction over the packed batch, unflatten
extern_data = {"data": {"dim": 3, "shape": (None, 2, 3)}}
network = {"ft": {"class": "flatten_batch", "axis": "T", "from": "data"},
           "mean": {"class": "reduce", "mode": "mean", "axis": "B", "from": "ft"},
           "back": {"class": "unflatten_batch", "from": "ft"}}
