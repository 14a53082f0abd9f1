# dot_attention and concat_attention outside of a loop: energy_factor, time-major base, several sources, dropout off
extern_data = {"data": {"dim": 3}, "q": {"dim": 2, "shape": (2,)}, "q2": {"dim": 3, "shape": (3,)}}
case = {"time": {"data": 7}}
network = {"enc": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"}, "enc2": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, "ctx": {"class": "linear", "activation": None, "n_out": 5, "from": "data"}, "ctx_tm": {"class": "rec", "unit": "lstm", "n_out": 5, "from": "data"},
  "d": {"class": "dot_attention", "from": ["data:q", "data:q2"], "base": "enc", "base_ctx": "ctx", "energy_factor": 0.5, "n_out": 4},
  "d2": {"class": "dot_attention", "from": ["data:q", "data:q2"], "base": "enc2", "base_ctx": "ctx_tm", "n_out": 3, "dropout": 0.3},
  "c": {"class": "concat_attention", "from": ["data:q", "data:q2"], "base": "enc", "base_ctx": "ctx_tm", "n_out": 4},
  "c2": {"class": "concat_attention", "from": ["data:q", "data:q2"], "base": "enc2", "base_ctx": "ctx"},
  "obj": {"class": "eval", "from": ["d", "c"], "eval": "source(0) ** 2 + source(1) ** 2", "loss": "as_is"}}
