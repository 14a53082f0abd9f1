# search_sorted in the values' own axis, for numbers and for labels
extern_data = {"data": {"dim": None, "shape": (None,), "dtype": "int32"}, "classes": {"dim": 9, "sparse": True}}
network = {
  "sorted": {"class": "cumsum", "axis": "T", "from": "data"},
  "l": {"class": "search_sorted", "sorted_sequence": "sorted", "values": "data", "axis": "T", "side": "left"},
  "r": {"class": "search_sorted", "sorted_sequence": "sorted", "values": "data", "axis": "T", "side": "right"},
  "labels": {"class": "search_sorted", "sorted_sequence": "data", "values": "data:classes", "axis": "T", "side": "left"}}
case = {"lens": {"data": [5, 2, 3], "classes": [3, 4, 1]}, "inputs": {"data": [[0, 2, 2, 5, 7], [1, 1, 1, 1, 1], [0, 3, 4, 4, 4]]}}
