# generic_attention with behaviour version 0: static time, equal sizes of heads and features, log-space weights
extern_data = {"data": {"dim": 4}, "img": {"shape": (5, 3), "dim": 3, "time_dim_axis": 1}}
network = {"en": {"class": "linear", "activation": None, "n_out": 4, "from": "data"}, "w": {"class": "softmax_over_spatial", "from": "en"}, "att": {"class": "generic_attention", "weights": "w", "base": "data"},
  "v": {"class": "split_dims", "axis": "F", "dims": (4, 1), "from": "data"}, "att_v": {"class": "generic_attention", "weights": "w", "base": "v"},
  "ei": {"class": "linear", "activation": None, "n_out": 2, "from": "data:img"}, "wi": {"class": "softmax_over_spatial", "from": "ei"}, "att_i": {"class": "generic_attention", "weights": "wi", "base": "data:img"},
  "bt": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"}, "att_tm": {"class": "generic_attention", "weights": "w", "base": "bt"},
  "raw": {"class": "generic_attention", "weights": "en", "base": "data"}, "obj": {"class": "eval", "from": "att_v", "eval": "source(0) ** 2", "loss": "as_is"}}
