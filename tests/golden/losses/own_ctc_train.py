# ctc in training: the error is that of the best path
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes"},
  "native": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_scale": 0.5, "loss_opts": {"beam_width": 1, "use_native": True}}}
case = {"lens": {"data": [7, 1, 5], "classes": [3, 1, 2]}, "train": True}
