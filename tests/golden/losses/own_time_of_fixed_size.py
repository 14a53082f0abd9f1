# a time axis that is cut to a fixed size stays time where RETURNN's layers name it; it counts in the mean of a loss
extern_data = {"data": {"dim": 4}, "named": {"shape": (None, 4), "time_dim_axis": 1}, "classes": {"dim": 5, "sparse": True}}
def cut(source, **options):
    return {"class": "slice", "axis": "T", "slice_end": 2, "from": source, "loss": "as_is", **options}
network = {
    "linear": {"class": "linear", "n_out": 3, "activation": None, "from": "data"},
    "cut": cut("linear"), "cut_from": cut("linear", slice_start=1, slice_end=3),
    "behind": {"class": "linear", "n_out": 2, "activation": None, "from": "cut", "loss": "as_is"},
    "tanh": {"class": "activation", "activation": "tanh", "from": "linear"}, "cut_tanh": cut("tanh"),
    "two": {"class": "combine", "kind": "add", "from": ["linear", "tanh"]}, "cut_two": cut("two"),
    "conv": {"class": "conv", "n_out": 3, "filter_size": (3,), "padding": "same", "from": "data"}, "cut_conv": cut("conv"),
    "rec": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "linear"}, "cut_rec": cut("rec"),
    "cut_data": cut("data"), "cut_named": cut("data:named"),
    "behind_data": {"class": "linear", "n_out": 2, "activation": None, "from": "cut_data", "loss": "as_is"},
    "same": {"class": "resize", "factor": 1, "axis": "T", "kind": "linear", "from": "linear"},
}
case = {"lens": {"data": [7, 4, 2], "named": [7, 4, 2]}}
