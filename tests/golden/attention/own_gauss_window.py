# gauss_window_attention outside of a loop: odd and even windows, positions beyond both ends, position with an axis of one
extern_data = {"data": {"dim": 3}, "p": {"dim": None, "shape": (), "dtype": "float32"}, "p1": {"dim": 1, "shape": (1,)}}
case = {"batch": 4, "lens": {"data": [7, 4, 1, 6]}, "inputs": {"p": [2.5, 9.2, -3.0, 3.5], "p1": [[0.4], [3.49], [0.0], [5.51]]}}
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}, "tm": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
  "g": {"class": "gauss_window_attention", "from": "data:p", "base": "enc", "window_size": 3, "n_out": 4},
  "g2": {"class": "gauss_window_attention", "from": "data:p1", "base": "tm", "window_size": 4, "std": 0.7},
  "g9": {"class": "gauss_window_attention", "from": "data:p1", "base": "enc", "window_size": 9, "std": 2.0},
  "obj": {"class": "eval", "from": ["g", "g2"], "eval": "source(0) ** 2 + source(1)", "loss": "as_is"}}
