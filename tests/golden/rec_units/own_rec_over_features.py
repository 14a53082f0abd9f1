# rec over the feature axis: the axis behind it holds the features then
extern_data = {"data": {"dim": 4, "shape": (3, 4)}}
network = {
  "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "axis": "F", "from": "data"},
  "back": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "axis": "F", "direction": -1, "from": "data"}}
