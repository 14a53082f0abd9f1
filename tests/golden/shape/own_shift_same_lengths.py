# shift_axis that pads and keeps the lengths: what stands behind a sequence moves into it
def sh(amount, **kw):
    return {"class": "shift_axis", "axis": "T", "amount": amount, "pad": True, "adjust_size_info": False, "from": "data", **kw}
extern_data = {"data": {"dim": 3}}
network = {"r": sh(2), "l": sh(-2), "rv": sh(1, pad_value=2.5), "lf": sh(-9), "rf": sh(9),
  "red": {"class": "reduce", "mode": "mean", "axes": "T", "from": "r"},
  "redl": {"class": "reduce", "mode": "sum", "axes": "T", "from": "l"},
  "comb": {"class": "combine", "kind": "add", "from": ["r", "l", "data"]},
  "F": sh(1, axis="F"), "Fl": sh(-1, axis="F"),
  "conv": {"class": "conv", "n_out": 2, "filter_size": (3,), "padding": "same", "from": "r"},
  "rec": {"class": "rec", "unit": "lstm", "n_out": 2, "from": "l"},
  "out": {"class": "linear", "n_out": 2, "activation": None, "from": ["r","l"], "loss": "as_is"},
  "twice": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "r"},
}
case = {"lens": {"data": [7, 4, 2]}}
