# batch_norm variants in training
extern_data = {"data": {"dim": 4}}
behavior_version = 12
network = {
 "h": {"class": "linear", "n_out": 4, "activation": None, "from": "data"},
 "b1": {"class": "batch_norm", "from": "h", "masked_time": True, "momentum": 0.2, "epsilon": 1e-2},
 "b2": {"class": "batch_norm", "from": "h", "masked_time": False},
 "b3": {"class": "batch_norm", "from": "h", "masked_time": True, "use_shift": False},
 "b4": {"class": "batch_norm", "from": "h", "masked_time": True, "param_version": 1, "update_sample_only_in_training": True, "delay_sample_update": False},
 "b5": {"class": "batch_norm", "from": "h", "masked_time": False, "use_sample": 0.3, "force_sample": False},
 "l6": {"class": "linear", "n_out": 3, "activation": "relu", "from": "b1", "batch_norm": {"momentum": 0.5, "masked_time": True}},
 "s": {"class": "combine", "kind": "add", "from": ["b1", "b2", "b3", "b4", "b5"]},
 "loss": {"class": "eval", "from": "s", "eval": "source(0) ** 3", "loss": "as_is"},
 "loss2": {"class": "eval", "from": "l6", "eval": "source(0) ** 3", "loss": "as_is"},
}
case = {"train": True, "lens": {"data": [7, 5, 4]}}
