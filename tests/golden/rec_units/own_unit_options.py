# units with several options at once, some backwards, with trained initial states and clipped cells
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "std": {"class": "rec", "unit": "StandardLSTM", "n_out": 3, "from": "data", "direction": -1, "initial_state": "var",
            "unit_opts": {"use_peepholes": True, "forget_bias": 1.5, "cell_clip": 0.5}},
    "zone": {"class": "rec", "unit": "zoneoutlstm", "n_out": 4, "from": ["data", "std"], "initial_state": 1,
             "unit_opts": {"zoneout_factor_cell": 0.3, "zoneout_factor_output": 0.2}},
    "ln": {"class": "rec", "unit": "layernormvariantslstm", "n_out": 3, "from": "zone", "direction": -1, "L2": 0.01,
           "unit_opts": {"global_norm": False, "per_gate_norm": True, "cell_norm": True, "cell_norm_in_output": False,
                         "forget_bias": 0.5}},
    "rhn": {"class": "rec", "unit": "rhn", "n_out": 3, "from": "ln", "unit_opts": {"depth": 3, "transform_bias": -1.0}},
    "old": {"class": "rec", "unit": "nativelstm", "n_out": 3, "from": "rhn", "direction": -1},
    "output": {"class": "softmax", "from": ["rhn", "old"], "loss": "ce", "target": "classes"},
}
case = {"lens": {"data": [5, 1, 3], "classes": [5, 1, 3]}, "time": 5}
