# batch_norm from behavior_version 12 without mask (the fused kernel: unbiased running variance), no time, static axes, train
behavior_version = 12
extern_data = {"data": {"dim": 3}, "vec": {"dim": 4, "shape": (4,)}, "vol": {"dim": 2, "shape": (None, 3, 2)}}
network = {"u": {"class": "batch_norm", "masked_time": False, "from": "data"},
           "um": {"class": "batch_norm", "masked_time": False, "momentum": 0.3, "epsilon": 0.01, "from": "data:vol"},
           "v": {"class": "batch_norm", "masked_time": False, "update_sample_only_in_training": False, "from": "data:vec"},
           "vs": {"class": "batch_norm", "masked_time": False, "use_std": False, "delay_sample_update": False, "from": "data:vec"},
           "m4": {"class": "batch_norm", "masked_time": True, "use_sample": 0.25, "from": "data:vol"},
           "obj": {"class": "eval", "from": "u", "eval": "source(0) ** 2", "loss": "as_is"},
           "obj2": {"class": "eval", "from": "m4", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1], "vol": [4, 1, 6]}, "train": True}
