# register_as_extern_data: what reads data that another layer registers comes behind it by name, not in the dict
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"2_later": {"class": "eval", "eval": "tf.minimum(source(0) + 1, 3)", "from": "data:first", "register_as_extern_data": "later"},
  "1_first": {"class": "eval", "eval": "tf.maximum(source(0) - 1, 0)", "from": "data:classes", "register_as_extern_data": "first"},
  "output": {"class": "softmax", "from": "data", "loss": "ce", "target": "later", "n_out": 4}}
case = {"train": True, "seed": 62}
