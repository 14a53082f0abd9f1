# layers in front of a choice that are there in a search only: in training the labels are the target's, and nothing asks for them
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": True}}
target = "classes"
network = {"output": {"class": "rec", "from": [], "target": "classes", "unit": {
   "s": {"class": "linear", "from": "prev:output", "n_out": 4, "activation": None, "only_on_search": True, "forward_weights_init": 0.1},
   "prob": {"class": "softmax", "from": "s", "n_out": 4, "only_on_search": True},
   "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 2}}},
  "o": {"class": "copy", "from": "output"}}
