# resize by a float, by a layer, cubic, of static axes and labels
extern_data = {"data": {"dim": 2, "shape": (None, 4, 2)}, "lab": {"dim": 7, "sparse": True}}
network = {"half": {"class": "resize", "factor": 0.5, "axis": "T", "kind": "nn", "from": "data"},
           "lin": {"class": "resize", "factor": 1.5, "axis": "T", "kind": "linear", "from": "data"},
           "cub": {"class": "resize", "factor": 3, "axis": "T", "kind": "cubic", "from": "data"},
           "st": {"class": "resize", "factor": 2, "axis": "static:0", "kind": "linear", "from": "data"},
           "two": {"class": "constant", "value": 2, "dtype": "int32"},
           "lay": {"class": "resize", "factor": "two", "axis": "T", "kind": "nn", "from": "data:lab"},
           "fl": {"class": "resize", "factor": 2, "axis": "T", "kind": "fill", "fill_value": -0.5, "from": "data"},
           "neg": {"class": "resize", "factor": 2, "axis": "T", "kind": "fill", "fill_value": -1, "from": "data:lab"},
           "red": {"class": "reduce", "mode": "mean", "axis": "T", "from": "half"}}
case = {"lens": {"data": [5, 7, 1], "lab": [3, 4, 1]}}
