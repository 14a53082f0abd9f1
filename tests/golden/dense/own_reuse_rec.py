# reuse_params of recurrent layers: by name, by map; of a layer inside a loop from outside
extern_data = {"data": {"dim": 3}}
network = {
  "l1": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
  "l2": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "l1", "reuse_params": "l1"},
  "l3": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "l2", "reuse_params": {"map": {"W": "l1", "W_re": "l1", "b": None}}},
  "obj": {"class": "eval", "from": "l3", "eval": "source(0) ** 2", "loss": "as_is"}}
