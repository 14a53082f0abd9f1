# search and add_to_beam_scores of decide and decide_keep_beam have no effect
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
case = {"search": True}
U = {"e": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "p": {"class": "softmax", "from": ["e", "data:source"], "target": "classes", "n_out": 5}, "output": {"class": "choice", "from": "p", "beam_size": 2, "target": "classes", "initial_output": 0}}
network = {"x": {"class": "rec", "from": "data", "target": "classes", "unit": U}, "d": {"class": "decide", "from": "x"}, "k": {"class": "decide_keep_beam", "from": "x"}, "y": {"class": "decide", "from": "x", "search": False}, "z": {"class": "decide", "from": "x", "add_to_beam_scores": True}, "k2": {"class": "decide_keep_beam", "from": "x", "search": False, "add_to_beam_scores": True}}
