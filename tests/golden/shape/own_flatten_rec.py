# layers behind flatten_batch that need to know how many frames there are: initial states, constants, losses
extern_data = {"data": {"dim": 3, "shape": (None, 4, 3)}}
network = {"flat": {"class": "flatten_batch", "axis": "T", "from": "data"},
  "lstm": {"class": "rec", "unit": "nativelstm2", "axis": "static:0", "n_out": 2, "from": "flat"},
  "ones": {"class": "eval", "from": "flat", "eval": "tf.ones_like(source(0))"},
  "output": {"class": "unflatten_batch", "from": "lstm", "loss": "as_is"}}
case = {"lens": {"data": [5, 1, 3]}}
