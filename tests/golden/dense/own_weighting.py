# gating of two sources, elemwise_prod over several axes, weighted_sum with windows, scaled_grad forms, cast
extern_data = {"data": {"dim": 4, "shape": (None, 5, 4)}, "y": {"dim": 2}}
network = {
  "g": {"class": "gating", "activation": "tanh", "from": "data:y"},
  "y2": {"class": "linear", "activation": None, "n_out": 2, "from": "data:y"},
  "g2": {"class": "gating", "activation": "relu", "from": ["data:y", "y2"]},
  "ep": {"class": "elemwise_prod", "axes": "static", "size": (5, 4), "from": "data"},
  "ep1": {"class": "elemwise_prod", "axes": ["F"], "from": "data"},
  "ws": {"class": "weighted_sum", "axes": "static", "from": "data"},
  "ws2": {"class": "weighted_sum", "axes": "dim:5", "size": (3,), "padding": "valid", "from": "data"},
  "ws3": {"class": "weighted_sum", "axes": "dim:5", "size": (4,), "padding": "same", "from": "data"},
  "ws4": {"class": "weighted_sum", "axes": ["dim:5", "F"], "size": (3, 2), "padding": "same", "from": "data"},
  "sg0": {"class": "scaled_grad", "scale": 0.0, "from": "y2"}, "sg": {"class": "scaled_grad", "scale": 2.0, "shift": 0.1, "from": "y2"},
  "obj": {"class": "eval", "from": ["sg", "sg0", "g2"], "eval": "source(0) ** 2 + source(1) * source(2)", "loss": "as_is"},
  "obj2": {"class": "eval", "from": "ws3", "eval": "source(0) ** 2", "loss": "as_is"}, "obj3": {"class": "eval", "from": "ws4", "eval": "source(0) ** 2", "loss": "as_is"}}
