# what RETURNN initialises to fixed values: scales, biases, forget gates, sums, running statistics
extern_data = {"data": {"dim": 4}, "grid": {"dim": 3, "shape": (None, 5, 3)}}
network = {
  "lin": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
  "conv": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "from": "data"},
  "tconv": {"class": "transposed_conv", "filter_size": (3,), "n_out": 3, "from": "data"},
  "bn": {"class": "batch_norm", "from": "data"}, "ln": {"class": "layer_norm", "from": "data"}, "norm": {"class": "norm", "axes": "F", "from": "data"},
  "ws": {"class": "weighted_sum", "axes": "dim:5", "from": "data:grid"}, "ws_size": {"class": "weighted_sum", "axes": "dim:5", "size": (3,), "padding": "same", "from": "data:grid"},
  "prod": {"class": "elemwise_prod", "axes": "F", "from": "data"},
  "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"}, "standard": {"class": "rec", "unit": "standardlstm", "n_out": 2, "from": "data"},
  "basic": {"class": "rec", "unit": "basiclstm", "n_out": 2, "from": "data"}, "block": {"class": "rec", "unit": "lstmblock", "n_out": 2, "from": "data"},
  "gru": {"class": "rec", "unit": "gru", "n_out": 2, "from": "data"}, "lnlstm": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 2, "from": "data"},
  "zoneout": {"class": "rec", "unit": "zoneoutlstm", "n_out": 2, "from": "data"},
  "trained": {"class": "rec", "unit": "lstm", "n_out": 2, "initial_state": "var", "from": "data"},
  "var": {"class": "variable", "shape": (3,)}, "var_init": {"class": "variable", "shape": (3,), "init": 2.5},
  "sat": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "from": "data"},
  "loop": {"class": "rec", "from": "data", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["data:source", "prev:output"], "initial_output": "var"}}}}
case = {"params": {"": "init"}, "grad": False}
