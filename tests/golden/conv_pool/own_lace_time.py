# LACE over time axis: slices of the time dimension, jumps, swap of axes, 2D conv with (2,1) dilation in valid mode
extern_data = {"data": {"dim": 6}}
case = {"lens": {"data": [9, 7, 5]}}
network = {
 "split": {"class": "split_dims", "axis": "F", "dims": [-1, 6], "from": "data"},
 "sw": {"class": "split_dims", "axis": "F", "dims": (6, 1), "from": "data"},
 "c1": {"class": "conv", "from": "sw", "n_out": 1, "filter_size": (3, 3), "padding": "VALID", "with_bias": True, "activation": "relu", "strides": (1, 1), "dilation_rate": (2, 1)},
 "sl": {"class": "slice", "axis": "T", "slice_start": 2, "slice_end": -2, "from": "sw"},
 "sl2": {"class": "slice", "axis": "s:1", "slice_start": 1, "slice_end": -1, "from": "sl"},
 "c1b": {"class": "reinterpret_data", "from": "c1", "size_base": "sl2"},
 "x": {"class": "combine", "kind": "add", "from": ["sl2", "c1b"]},
 "step": {"class": "slice", "axis": "T", "slice_step": 2, "from": "x"},
 "step_f": {"class": "slice", "axis": "F", "slice_step": 2, "from": "x"},
 "o": {"class": "reduce", "mode": "avg", "axis": "T", "from": "step"},
 "mm": {"class": "merge_dims", "axes": "except_time", "from": "x"},
 "mb": {"class": "merge_dims", "axes": "static", "from": "o"},
 "loss": {"class": "eval", "from": "x", "eval": "tf.square(source(0))", "loss": "as_is"},
}
