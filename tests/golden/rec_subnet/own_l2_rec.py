# L2 on a rec layer with subnetwork and layers inside; not trained parts
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
case = {"lens": {"data": [5, 3, 4], "classes": [5, 3, 4]}}
network = {
 "r": {"class": "rec", "from": "data", "L2": 0.5, "unit": {
   "x": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:x"], "L2": 0.04},
   "y": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["prev:y", "prev:x", "x"], "trainable": False, "L2": 0.3},
   "output": {"class": "copy", "from": ["x", "y"]}}},
 "fr": {"class": "rec", "from": "data", "trainable": False, "unit": {
   "x": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:x"], "L2": 0.04},
   "s": {"class": "subnetwork", "from": "x", "subnetwork": {"output": {"class": "linear", "n_out": 2, "activation": None, "from": "data"}}},
   "output": {"class": "copy", "from": ["x", "s"]}}},
 "output": {"class": "softmax", "from": ["r", "fr"], "loss": "ce"},
}
