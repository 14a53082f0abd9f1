# the loss of a subnetwork's layer in a loop, which RETURNN computes outside of the loop: it is called after the layer
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "tag": {"class": "linear", "activation": None, "with_bias": True, "n_out": 3, "from": "data:source"},
    "output": {"class": "subnetwork", "from": "prev:tag", "subnetwork": {
      "hid": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"},
      "output": {"class": "linear", "activation": "softmax", "n_out": 4, "from": "hid", "loss": "ce", "target": "classes"}}}}}}
case = {"lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}, "time": 6}
