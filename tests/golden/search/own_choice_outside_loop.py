# choice at top level, outside of a loop: the label is the target's in training
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"prob": {"class": "softmax", "from": "data", "target": "classes"},
 "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3}, "x": {"class": "linear", "from": "output", "n_out": 2}}
case = {}
