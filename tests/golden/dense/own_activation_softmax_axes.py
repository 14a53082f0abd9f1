# a softmax as an activation layer brings the feature axis to the end
extern_data = {"data": {"dim": 3, "shape": (None, 4, 3)}}
network = {"t": {"class": "transpose", "perm": {"F": "dim:4", "dim:4": "F"}, "from": "data"},
  "p": {"class": "activation", "activation": "softmax", "from": "t"}, "lp": {"class": "activation", "activation": "log_softmax", "from": "t"},
  "relu": {"class": "activation", "activation": "relu", "from": "t"}}
