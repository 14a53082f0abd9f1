# dot of queries and keys over the same time axis: both are kept, as in self attention by hand
extern_data = {"data": {"dim": 4}}
network = {"q": {"class": "linear", "activation": None, "n_out": 3, "from": "data"}, "k": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
           "en": {"class": "dot", "from": ["q", "k"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"}}
case = {"lens": {"data": [5, 7, 1]}}
