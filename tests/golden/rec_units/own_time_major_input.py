# time-major input; sequences in both directions; ragged with length 1
extern_data = {"data": {"dim": 3, "time_dim_axis": 0, "batch_dim_axis": 1}}
network = {
    "f": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "data"},
    "b": {"class": "rec", "unit": "lstmp", "direction": -1, "n_out": 2, "from": "data"},
    "g": {"class": "rec", "unit": "gru", "direction": -1, "n_out": 3, "from": ["f", "b"]},
    "z": {"class": "rec", "unit": "zoneoutlstm", "unit_opts": {"zoneout_factor_cell": 0.2}, "direction": -1, "n_out": 2, "from": ["g", "data"]},
    "obj": {"class": "eval", "from": "z", "eval": "source(0) ** 2", "loss": "as_is"},
}
case = {"lens": {"data": [4, 1, 6, 2]}, "batch": 4}
