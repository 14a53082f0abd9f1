# dot before behavior version 3: "auto" for one or both of var1 and var2 takes the place of the positions -2 and -1
extern_data = {"data": {"dim": 3}}
network = {"lin": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
  "both": {"class": "dot", "from": ["lin", "data"], "red1": "F", "red2": "F", "var1": "auto", "var2": "auto"},
  "one": {"class": "dot", "from": ["lin", "data"], "red1": "F", "red2": "F", "var1": "auto"}, "two": {"class": "dot", "from": ["lin", "data"], "red1": "F", "red2": "F", "var2": "auto"}}
