# a condition in a loop whose branches read what it gave in the step before
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "rec", "from": "data", "unit": {
    "even": {"class": "eval", "eval": "tf.equal(source(0) % 2, 0)", "from": ":i", "out_type": {"dtype": "bool"}},
    "c": {"class": "cond", "from": ["data:source", "prev:output"], "condition": {"class": "copy", "from": "even"},
      "true_layer": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:output"]},
      "false_layer": {"class": "eval", "eval": "source(0) * 0.5", "from": "prev:output"}},
    "output": {"class": "copy", "from": "c"}}}, "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "output", "loss": "as_is"}}
case = {"train": True, "seed": 2}
