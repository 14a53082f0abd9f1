# tile of two axes
extern_data = {"data": {"dim": 3, "shape": (None, 2, 3)}}
network = {"t": {"class": "tile", "multiples": {"F": 2, "static:0": 3}, "from": "data"},
           "o": {"class": "tile", "multiples": {"F": 1, "T": 1}, "from": "data"}}
