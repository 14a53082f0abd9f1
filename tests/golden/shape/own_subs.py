# pads, windows, slices with strides and negative ends on ragged axes, behavior version 21
extern_data = {"data": {"dim": 4}}
behavior_version = 21
case = {"lens": {"data": [7, 4, 5]}}
network = {
 "w1": {"class": "window", "window_size": 5, "window_left": 4, "window_right": 0, "from": "data"},
 "w2": {"class": "window", "window_size": 3, "stride": 3, "from": "data"}, "w3": {"class": "window", "window_size": 4, "padding": "valid", "from": "data"},
 "w4": {"class": "window", "window_size": 4, "window_left": 1, "window_right": 2, "stride": 2, "from": "data"},
 "p1": {"class": "pad", "axes": "T", "padding": (2, 1), "from": "data", "value": 1}, "p2": {"class": "pad", "axes": ["T", "F"], "padding": [(0, 2), (1, 0)], "from": "data", "mode": "constant"},
  "p4": {"class": "pad", "axes": "F", "padding": (2, 1), "mode": "reflect", "from": "data"}, "p5": {"class": "pad", "axes": "T", "padding": (3, 0), "mode": "constant", "value": -1, "from": "data"},
 "s1": {"class": "slice", "axis": "T", "slice_start": 1, "slice_step": 2, "from": "data"}, "s2": {"class": "slice", "axis": "T", "slice_end": 3, "from": "data"},
 "s4": {"class": "slice", "axis": "F", "slice_step": -1, "from": "data"}, "s5": {"class": "slice", "axis": "F", "slice_start": 1, "slice_end": -1, "from": "data"},
 "s6": {"class": "slice", "axis": "T", "slice_end": -2, "from": "data"}, "s7": {"class": "slice", "axis": "T", "slice_start": 1, "slice_end": -1, "slice_step": 2, "from": "p1"},
 "c1": {"class": "conv", "from": "data", "n_out": 2, "filter_size": (3,), "strides": 2, "padding": "valid", "in_spatial_dims": ["T"]}, "c2": {"class": "conv", "from": "p1", "n_out": 2, "filter_size": (2,), "dilation_rate": 2, "padding": "valid"},
 "m1": {"class": "merge_dims", "axes": ["T", "F"], "from": "data", "keep_order": True}, "sp": {"class": "split_dims", "axis": "T", "dims": (-1, 3), "from": "data"},
 "spp": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "pad_value": 5.0, "from": "data"},
 "fl": {"class": "flatten_batch", "from": "data"}, "ufl": {"class": "unflatten_batch", "from": "flin"}, "flin": {"class": "linear", "n_out": 2, "activation": "tanh", "from": "fl"},
 "rv": {"class": "reduce", "mode": "max", "axis": "T", "from": "s6"}, "rm": {"class": "reduce", "mode": "mean", "axis": "T", "from": "w2"},
 "post": {"class": "postfix_in_time", "postfix": 2.0, "repeat": 3, "from": "data"}, "pre": {"class": "prefix_in_time", "prefix": 1.0, "repeat": 2, "from": "data"},
}
