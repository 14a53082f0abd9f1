# ce on outputs that are no probabilities: the logarithm of a number at most 0 is that of 1e-20, with a gradient; a bound below a large loss
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {"output": {"class": "linear", "activation": "tanh", "from": "data", "n_out": 4, "loss": "ce"},
           "bounded": {"class": "linear", "activation": "tanh", "from": "data", "n_out": 4, "loss": "ce", "target": "classes", "loss_scale": 0.5, "loss_opts": {"fake_upper_bound": 0.3}}}
